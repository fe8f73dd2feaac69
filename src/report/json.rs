//! The report as JSON: schema `jotmill.report/1`.
