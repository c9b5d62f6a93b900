//! doorward-jobs
