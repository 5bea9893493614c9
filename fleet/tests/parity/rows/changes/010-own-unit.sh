# from: hook
# user: root
cat > /etc/systemd/system/parity.service <<'EOF'
[Unit]
Description=Parity
[Service]
ExecStart=/bin/sleep 1000
[Install]
WantedBy=multi-user.target
EOF
systemctl start parity; echo "status $?"; systemctl is-active parity
systemctl daemon-reload; systemctl enable parity; systemctl is-enabled parity; systemctl enable --now parity; echo "status $?"
systemctl show parity -p LoadState -p ActiveState -p SubState -p UnitFileState -p NeedDaemonReload
echo '# x' >> /etc/systemd/system/parity.service; systemctl show parity --value -p NeedDaemonReload; systemctl restart parity; systemctl daemon-reload; systemctl show parity --value -p NeedDaemonReload
systemctl stop parity; systemctl is-active parity; echo "status $?"; systemctl disable parity; systemctl is-enabled parity; echo "status $?"
sed -i 's|/bin/sleep 1000|/bin/false|' /etc/systemd/system/parity.service; systemctl daemon-reload; systemctl start parity; echo "status $?"; sleep 0.3; systemctl is-active parity; systemctl is-failed parity; systemctl list-units --failed --no-legend --plain --no-pager; systemctl reset-failed parity; systemctl is-active parity
sed -i 's|^ExecStart.*|ExecStart=/nosuch|' /etc/systemd/system/parity.service; systemctl daemon-reload; systemctl start parity; echo "status $?"; sleep 0.3; systemctl show parity -p ActiveState -p SubState -p Result -p ExecMainStatus
sed -i '/^\[Service\]/a Type=oneshot' /etc/systemd/system/parity.service; sed -i 's|^ExecStart.*|ExecStart=/bin/false|' /etc/systemd/system/parity.service; systemctl daemon-reload; systemctl start parity; echo "status $?"
systemctl mask parity; echo "status $?"; systemctl reset-failed parity; rm /etc/systemd/system/parity.service; systemctl daemon-reload; systemctl start parity; echo "status $?"; systemctl status parity --no-pager; echo "status $?"
