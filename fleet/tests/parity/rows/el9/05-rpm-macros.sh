# from: hook
# user: lab
rpm --eval '%{_dbpath} %_sysconfdir %{_libdir}'
rpm -E '%{_arch} %nosuchmacro %{?nosuch:x}%{!?nosuch:y}'
rpm --eval '%%{rhel}'
rpm --version >/dev/null; echo $?
