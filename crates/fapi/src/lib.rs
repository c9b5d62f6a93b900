//! doorward-fapi
