//! Reaching a host: connections, commands, privilege, files, services, packages
