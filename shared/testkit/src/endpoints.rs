//! The connector's rules about mail servers, as the port that use cases know.

pub use agentwarm_mail::endpoints::NetRules;
