//! doorward-bapi
