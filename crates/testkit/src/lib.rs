//! doorward-testkit
