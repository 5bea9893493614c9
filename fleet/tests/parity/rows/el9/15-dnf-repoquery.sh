# from: hook
# user: root
dnf -q repoquery tool; echo $?
dnf -q repoquery --latest-limit=1 tool; dnf -q repoquery --installed bash; dnf -q repoquery --requires jq; dnf -q repoquery --provides oniguruma
dnf -q repoquery --whatprovides 'libonig.so.5()(64bit)'; dnf -q repoquery --qf '%{name} %{version} %{release} %{arch} %{repoid} %{epoch}' socat; dnf -q repoquery nothing; echo $?
dnf -q repoquery -l socat; dnf -q repoquery --whatrequires glibc
