//! doorward-pages
