//! doorward-server
