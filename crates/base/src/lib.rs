//! doorward-base
