//! End-to-end tests through the real binary; one module a topic.
