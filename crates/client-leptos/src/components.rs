//! What is shown depends on who is there.

use crate::hooks::use_auth;
use leptos::prelude::*;

/// Shows its children to those who are signed in.
#[component]
pub fn SignedIn(children: ChildrenFn) -> impl IntoView {
    let auth = use_auth();
    view! { <Show when=move || auth.is_signed_in.get()>{children()}</Show> }
}

/// Shows its children to those who are not signed in, once that is known.
#[component]
pub fn SignedOut(children: ChildrenFn) -> impl IntoView {
    let auth = use_auth();
    view! { <Show when=move || auth.is_loaded.get() && !auth.is_signed_in.get()>{children()}</Show> }
}
