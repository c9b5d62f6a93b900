//! The account of who is signed in: `/v1/me` and everything below it, and the renewed proof of presence that some of it asks for.

use crate::effects::Failure;
use crate::machine::Core;
use crate::requests::{Ask, Kind, form, segment};
use crate::value::Map;

const METHODS: [&str; 4] = ["GET", "POST", "PATCH", "DELETE"];

/// A call about the account of who is signed in. Which endpoints there are is the server's business; where a call may go is
/// not: nowhere but below the two paths that are named here.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    area: Area,
    method: &'static str,
    path: Vec<String>,
    params: Map,
    file: Option<String>,
}

/// What a call's path begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// `/v1/me`.
    Me,
    /// `/v1/client/sessions/{the active one}/verify`.
    Verification,
}

impl Account {
    /// A call of `GET`, `POST`, `PATCH` or `DELETE` for the segments of a path below the area's. None for another method, and
    /// for a segment that would lead elsewhere (empty, `.` and `..`).
    pub fn new(area: Area, method: &str, path: Vec<String>) -> Option<Self> {
        let method = METHODS.into_iter().find(|it| *it == method)?;
        let leads_on = |part: &String| !matches!(part.as_str(), "" | "." | "..");
        path.iter().all(leads_on).then(|| Self { area, method, path, params: Map::new(), file: None })
    }

    /// With parameters, which `GET` has none of.
    #[must_use]
    pub fn with(self, params: Map) -> Self {
        Self { params, ..self }
    }

    /// With a file, base64, in place of parameters.
    #[must_use]
    pub fn with_file(self, file: Option<String>) -> Self {
        Self { file, ..self }
    }
}

impl Core {
    pub(crate) fn of_account(&mut self, call: u64, it: Account) {
        let Some(session) = self.known.active.clone() else {
            return self.settle(call, Err(Failure::signed_out()));
        };
        let mut path = match it.area {
            Area::Me => "/v1/me".to_owned(),
            Area::Verification => ["/v1/client/sessions/", &session, "/verify"].concat(),
        };
        for part in &it.path {
            path.push('/');
            path.extend(segment(part));
        }
        let deletes_user = it.area == Area::Me && it.path.is_empty() && it.method == "DELETE";
        let kind = Kind::Account { call, session, deletes_user };
        let file = it.file.is_some();
        self.ask(Ask { method: it.method, path, form: it.file.unwrap_or_else(|| form(&it.params)), file, ..Ask::of(kind) });
    }
}
