//! doorward-wire
