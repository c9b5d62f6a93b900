//! Which users, in which order, from where on.

use crate::app::{Scope, internal};
use crate::identifiers::{self, Identifier};
use crate::phone::Phone;
use crate::web3::Address;
use doorward_base::*;
use doorward_store::users::{self, PageStart, TextIn, TimeColumn, TimeOp, UserFilter, UserOrder, UserWithEmails};
use doorward_wire::bapi::{self, ListUsers};

/// The most values of one filter.
const MAX_VALUES: usize = 100;
/// The longest text that is searched for.
const MAX_QUERY: usize = 256;
/// The most rows of a page, and how many there are by default.
const LIMITS: (i64, i64) = (500, 10);
/// The furthest that a page may begin: rows before it are read and thrown away.
const MAX_OFFSET: i64 = 1_000_000_000;

/// A page of any list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// How many at most.
    pub limit: i64,
    /// How many to skip.
    pub offset: i64,
}

/// Reads `limit` (1 to 500; 10 by default) and `offset` (0 by default).
///
/// # Errors
/// `form_param_value_invalid` naming the one that is out of bounds.
pub fn page(limit: Option<i64>, offset: Option<i64>) -> Result<Page, ApiError> {
    let out = Page { limit: limit.unwrap_or(LIMITS.1), offset: offset.unwrap_or(0) };
    let invalid = |param: &str, text: String| Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param(param).long(text));
    if !(1..=LIMITS.0).contains(&out.limit) {
        return invalid("limit", format!("limit must be between 1 and {}.", LIMITS.0));
    }
    if !(0..=MAX_OFFSET).contains(&out.offset) {
        return invalid("offset", format!("offset must be between 0 and {MAX_OFFSET}."));
    }
    Ok(out)
}

/// A page of users.
///
/// # Errors
/// The `form_*` codes naming the parameter.
pub async fn list(scope: &Scope, req: &ListUsers) -> Result<Vec<UserWithEmails>, ApiError> {
    let page = page(req.limit, req.offset)?;
    let (order, descending) = order(req.order_by.as_deref())?;
    let filter = filter(&req.filter)?;
    let after = req.starting_after.as_deref().filter(|id| !id.is_empty());
    let start = start(after, page.offset, order)?;
    let found = users::list(scope.db(), scope.ins(), &filter, order, descending, page.limit, &start).await.map_err(internal)?;
    if let (PageStart::After(id), true) = (&start, found.is_empty()) {
        // After somebody who is not there comes nobody, which would read as the end of the list.
        let known = users::get(scope.db(), scope.ins(), id).await.map_err(internal)?;
        known.ok_or_else(|| ApiError::new(codes::FORM_RESOURCE_MISSING).param("starting_after"))?;
    }
    Ok(found)
}

/// How many users there are.
///
/// # Errors
/// The `form_*` codes naming the parameter.
pub async fn count(scope: &Scope, req: &bapi::UserFilter) -> Result<i64, ApiError> {
    users::count(scope.db(), scope.ins(), &filter(req)?).await.map_err(internal)
}

/// A cursor stands for a place in the order of creation only: in any other order its user may have moved by now.
fn start(after: Option<&str>, offset: i64, order: UserOrder) -> Result<PageStart, ApiError> {
    let Some(id) = after else { return Ok(PageStart::Offset(offset)) };
    let refuse = |why: &str| Err(ApiError::new(codes::FORM_CONDITIONAL_PARAM_DISALLOWED).param("starting_after").long(why));
    if order != UserOrder::CreatedAt {
        return refuse("starting_after can be used in the order of created_at only.");
    }
    if offset != 0 {
        return refuse("starting_after cannot be used together with offset.");
    }
    Ok(PageStart::After(id.into()))
}

/// Reads the order of any list: a field, with `-` before it for descending. A `+` that was not escaped arrives as a space.
///
/// # Errors
/// `form_param_value_invalid` for a field that `known` does not know.
pub(crate) fn order_by<T>(text: Option<&str>, known: impl Fn(&str) -> Option<T>) -> Result<(T, bool), ApiError> {
    let text = text.map(str::trim).filter(|text| !text.is_empty()).unwrap_or("-created_at");
    let (field, descending) = match text.strip_prefix('-') {
        Some(field) => (field, true),
        None => (text.strip_prefix('+').unwrap_or(text), false),
    };
    let order = known(field).ok_or_else(|| ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("order_by"))?;
    Ok((order, descending))
}

fn order(text: Option<&str>) -> Result<(UserOrder, bool), ApiError> {
    order_by(text, |field| {
        Some(match field {
            "created_at" => UserOrder::CreatedAt,
            "web3wallet" => UserOrder::Web3Wallet,
            "phone_number" => UserOrder::PhoneNumber,
            "updated_at" => UserOrder::UpdatedAt,
            "email_address" => UserOrder::EmailAddress,
            "first_name" => UserOrder::FirstName,
            "last_name" => UserOrder::LastName,
            "username" => UserOrder::Username,
            "last_active_at" => UserOrder::LastActiveAt,
            "last_sign_in_at" => UserOrder::LastSignInAt,
            _ => return None,
        })
    })
}

/// Values to include and values to exclude.
#[derive(Debug, Default, PartialEq, Eq)]
struct Signed {
    with: Vec<String>,
    without: Vec<String>,
}

/// Reads values that may have a `+` or `-` before them.
fn signed(values: &[String], param: &str) -> Result<Signed, ApiError> {
    let mut out = Signed::default();
    for text in bounded(values, param)? {
        let text = text.trim();
        match text.strip_prefix('-') {
            Some(text) => out.without.push(text.to_owned()),
            None => out.with.push(text.strip_prefix('+').unwrap_or(text).to_owned()),
        }
    }
    Ok(out)
}

fn bounded<'a>(values: &'a [String], param: &str) -> Result<&'a [String], ApiError> {
    if values.len() > MAX_VALUES {
        return Err(ApiError::new(codes::FORM_PARAM_ARRAY_TOO_LARGE).param(param));
    }
    Ok(values)
}

/// Reads a text that is searched for.
///
/// # Errors
/// `form_param_max_length_exceeded`.
pub(crate) fn query(text: &Option<String>, param: &str) -> Result<Option<String>, ApiError> {
    let text = text.as_deref().map(str::trim).filter(|text| !text.is_empty());
    if text.is_some_and(|text| text.chars().count() > MAX_QUERY) {
        return Err(ApiError::new(codes::FORM_PARAM_TOO_LONG).param(param));
    }
    Ok(text.map(str::to_owned))
}

/// Reads the filters. A value that nobody can have matches nobody; it is no mistake.
fn filter(req: &bapi::UserFilter) -> Result<UserFilter, ApiError> {
    let emails = bounded(&req.email_address, "email_address")?;
    let numbers = bounded(&req.phone_number, "phone_number")?;
    let wallets = bounded(&req.web3_wallet, "web3_wallet")?;
    let names = bounded(&req.username, "username")?;
    let (users, apps) = (signed(&req.user_id, "user_id")?, signed(&req.external_id, "external_id")?);
    let mut out = UserFilter {
        address_keys: emails.iter().filter_map(|text| identifiers::parse_email(text)).map(|email| email.key).collect(),
        phone_numbers: numbers.iter().filter_map(|text| Phone::parse(text)).map(|phone| phone.as_str().to_owned()).collect(),
        wallets: wallets.iter().filter_map(|text| Address::parse(text)).map(|it| it.as_str().to_owned()).collect(),
        username_keys: names.iter().filter_map(|text| username_key(text)).collect(),
        external_ids: apps.with,
        not_external_ids: apps.without,
        user_ids: users.with,
        not_user_ids: users.without,
        found: found(req)?,
        banned: req.banned,
        times: times(req),
        accounts: accounts(req)?,
        // There are no organizations yet.
        nobody: !signed(&req.organization_id, "organization_id")?.with.is_empty(),
    };
    out.nobody |= out.found.iter().any(|(_, text)| text.contains('\n'));
    // A filter none of whose values can be met must not turn into no filter at all.
    out.nobody |= [(emails, &out.address_keys), (numbers, &out.phone_numbers), (wallets, &out.wallets), (names, &out.username_keys)]
        .iter()
        .any(|(asked, possible)| !asked.is_empty() && possible.is_empty());
    Ok(out)
}

/// Reads the texts that are searched for. A user has lines of them: a text over several lines is found nowhere.
fn found(req: &bapi::UserFilter) -> Result<Vec<(TextIn, String)>, ApiError> {
    let mut out = Vec::new();
    for (text, param, scope) in [
        (&req.query, "query", TextIn::Any),
        (&req.email_address_query, "email_address_query", TextIn::EmailAddress),
        (&req.phone_number_query, "phone_number_query", TextIn::PhoneNumber),
        (&req.username_query, "username_query", TextIn::Username),
        (&req.name_query, "name_query", TextIn::Name),
    ] {
        out.extend(query(text, param)?.map(|text| (scope, text)));
    }
    Ok(out)
}

/// A user name as it is compared. The rules for new names may have changed since it was given, so they do not count here.
fn username_key(text: &str) -> Option<String> {
    match identifiers::parse_identifier(text) {
        Some(Identifier::Username(key)) => Some(key),
        _ => None,
    }
}

fn times(req: &bapi::UserFilter) -> Vec<(TimeColumn, TimeOp, Timestamp)> {
    [
        (TimeColumn::LastActiveAt, TimeOp::Before, req.last_active_at_before),
        (TimeColumn::LastActiveAt, TimeOp::After, req.last_active_at_after),
        (TimeColumn::LastActiveAt, TimeOp::Since, req.last_active_at_since),
        (TimeColumn::CreatedAt, TimeOp::Before, req.created_at_before),
        (TimeColumn::CreatedAt, TimeOp::After, req.created_at_after),
        (TimeColumn::LastSignInAt, TimeOp::Before, req.last_sign_in_at_before),
        (TimeColumn::LastSignInAt, TimeOp::After, req.last_sign_in_at_after),
    ]
    .into_iter()
    .filter_map(|(column, operator, at)| Some((column, operator, at?)))
    .collect()
}

/// Reads accounts at another provider.
fn accounts(req: &bapi::UserFilter) -> Result<Option<(String, Vec<String>)>, ApiError> {
    let accounts = bounded(&req.provider_user_id, "provider_user_id")?;
    let provider = req.provider.as_deref().filter(|text| !text.is_empty());
    let missing = |param| Err(ApiError::new(codes::FORM_CONDITIONAL_PARAM_MISSING).param(param));
    match (provider, accounts) {
        (None, []) => Ok(None),
        (Some(_), []) => missing("provider_user_id"),
        (None, _) => missing("provider"),
        (Some(provider), accounts) => Ok(Some((provider.to_owned(), accounts.to_vec()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list_of(values: &[&str]) -> Vec<String> {
        values.iter().map(|text| (*text).to_owned()).collect()
    }

    fn fault<T>(read: Result<T, ApiError>) -> (&'static str, String) {
        let error = read.err().unwrap();
        (error.code().code, error.meta().param_name.clone().unwrap_or_default())
    }

    #[test]
    fn fault_116_pages_have_bounds() {
        assert_eq!(page(None, None).unwrap(), Page { limit: 10, offset: 0 });
        assert_eq!(page(Some(500), Some(7)).unwrap(), Page { limit: 500, offset: 7 });
        for limit in [0, -1, 501, i64::MAX, i64::MIN] {
            assert_eq!(fault(page(Some(limit), None)), ("form_param_value_invalid", "limit".to_owned()));
        }
        for offset in [-1, i64::MAX, i64::MIN] {
            assert_eq!(fault(page(None, Some(offset))), ("form_param_value_invalid", "offset".to_owned()));
        }
    }

    #[test]
    fn fault_120_only_known_fields_order_a_list() {
        assert_eq!(order(None).unwrap(), (UserOrder::CreatedAt, true));
        assert_eq!(order(Some("")).unwrap(), (UserOrder::CreatedAt, true));
        assert_eq!(order(Some("username")).unwrap(), (UserOrder::Username, false));
        assert_eq!(order(Some("+last_name")).unwrap(), (UserOrder::LastName, false));
        assert_eq!(order(Some(" last_name")).unwrap(), (UserOrder::LastName, false));
        assert_eq!(order(Some("-last_sign_in_at")).unwrap(), (UserOrder::LastSignInAt, true));
        for bad in ["password_hash", "-", "+", "--created_at", "created_at desc", "created_at;drop table users", "CREATED_AT"] {
            assert_eq!(fault(order(Some(bad))), ("form_param_value_invalid", "order_by".to_owned()), "{bad}");
        }
    }

    #[test]
    fn a_cursor_goes_with_the_order_of_creation_alone() {
        assert!(matches!(start(None, 5, UserOrder::Username), Ok(PageStart::Offset(5))));
        assert!(matches!(start(Some("user_1"), 0, UserOrder::CreatedAt), Ok(PageStart::After(id)) if id.as_str() == "user_1"));
        for (offset, order) in [(1, UserOrder::CreatedAt), (0, UserOrder::UpdatedAt)] {
            assert_eq!(fault(start(Some("user_1"), offset, order)), ("form_conditional_param_disallowed", "starting_after".to_owned()));
        }
    }

    #[test]
    fn signs_include_and_exclude() {
        let read = signed(&list_of(&["user_1", "+user_2", " user_3", "-user_4"]), "user_id").unwrap();
        assert_eq!(read, Signed { with: list_of(&["user_1", "user_2", "user_3"]), without: list_of(&["user_4"]) });
        let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
        assert_eq!(fault(signed(&many, "user_id")), ("form_param_array_size_exceeded", "user_id".to_owned()));
    }

    #[test]
    fn addresses_are_compared_as_they_are_kept_and_impossible_ones_match_nobody() {
        let read = |emails: &[&str]| filter(&bapi::UserFilter { email_address: list_of(emails), ..Default::default() }).unwrap();
        let known = read(&["Ada@Example.com", "not an address"]);
        assert_eq!((known.address_keys, known.nobody), (list_of(&["ada@example.com"]), false));
        assert!(read(&["not an address"]).nobody);
        assert!(!read(&[]).nobody);
    }

    #[test]
    fn nobody_has_what_does_not_exist_yet() {
        let asks = [
            bapi::UserFilter { phone_number: list_of(&["5550100"]), ..Default::default() },
            bapi::UserFilter { web3_wallet: list_of(&["0x1"]), ..Default::default() },
            bapi::UserFilter { organization_id: list_of(&["org_1"]), ..Default::default() },
        ];
        assert!(asks.iter().all(|ask| filter(ask).unwrap().nobody));
        assert!(!filter(&bapi::UserFilter { organization_id: list_of(&["-org_1"]), ..Default::default() }).unwrap().nobody);
        let both = bapi::UserFilter { provider: Some("oauth_google".to_owned()), provider_user_id: list_of(&["1"]), ..Default::default() };
        assert_eq!(filter(&both).unwrap().accounts, Some(("oauth_google".to_owned(), list_of(&["1"]))));
        let alone = bapi::UserFilter { provider: Some("oauth_google".to_owned()), ..Default::default() };
        assert_eq!(fault(filter(&alone)), ("form_conditional_param_missing", "provider_user_id".to_owned()));
        let alone = bapi::UserFilter { provider_user_id: list_of(&["1"]), ..Default::default() };
        assert_eq!(fault(filter(&alone)), ("form_conditional_param_missing", "provider".to_owned()));
    }

    #[test]
    fn times_and_texts_are_taken_over() {
        let ask = bapi::UserFilter {
            created_at_after: Some(5),
            last_active_at_since: Some(7),
            query: Some("  ada ".to_owned()),
            name_query: Some(String::new()),
            ..Default::default()
        };
        let read = filter(&ask).unwrap();
        assert_eq!((read.found.as_slice(), read.times.len()), ([(TextIn::Any, "ada".to_owned())].as_slice(), 2));
        let long = bapi::UserFilter { query: Some("x".repeat(257)), ..Default::default() };
        assert_eq!(fault(filter(&long)), ("form_param_max_length_exceeded", "query".to_owned()));
    }
}
