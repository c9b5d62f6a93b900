use super::List;
use crate::endpoint::request;
use crate::resource::resource;
use doorward_base::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

resource! {
    /// A template of a message.
    MessageTemplate {
        /// `template`.
        object: String,
        /// Its id.
        id: String,
        /// The instance, where the words are its own.
        instance_id: Option<InstanceId>,
        /// `system`, or `user` where the words are the instance's own.
        resource_type: String,
        /// `email` or `sms`.
        template_type: String,
        /// A name for people.
        name: String,
        /// A name for programs.
        slug: String,
        /// The place in the list.
        position: i64,
        /// Whether the words are the instance's own.
        can_revert: bool,
        /// Never.
        can_delete: bool,
        /// Always.
        can_edit_body: bool,
        /// Never: the server needs each of its messages.
        can_toggle: bool,
        /// The subject of a mail.
        subject: Option<String>,
        /// The markup of a mail, or the text of a text message.
        body: String,
        /// What the body was made from, in an editor; empty for nothing.
        markup: String,
        /// What stands before the `@` of the sender's address; empty for the server's own.
        from_email_name: String,
        /// What stands before the `@` of the address that answers go to; empty for the sender's.
        reply_to_email_name: String,
        /// The values that a template can show.
        available_variables: Vec<String>,
        /// The values that it must show.
        required_variables: Vec<String>,
        /// Whether the server delivers the message.
        delivered_by_clerk: bool,
        /// Always.
        enabled: bool,
        /// Never: nobody looks.
        flagged_as_suspicious: bool,
        /// When it was made.
        created_at: Timestamp,
        /// When it last changed.
        updated_at: Timestamp,
    }

    /// What would come of a template.
    TemplatePreview {
        /// The subject; null for a text message.
        subject: Option<String>,
        /// The markup, or the text.
        body: String,
        /// What stands before the `@` of the sender's address; the sender's name where that is the server's own.
        from_email_name: String,
        /// What stands before the `@` of the address that answers go to; empty for the sender's.
        reply_to_email_name: String,
    }
}

request! {
    /// Names the kind of templates.
    ListTemplates {
        /// `email` or `sms`.
        template_type: String,
        /// Whether to answer with the total.
        paginated: Option<bool>,
        /// How many at most, 1 to 500; 10 by default.
        limit: Option<i64>,
        /// How many to skip.
        offset: Option<i64>,
    } => List<MessageTemplate>; Backend GET "/v1/templates/{template_type}" "GetTemplateList";
    "Email & SMS Templates", SecretKey, Backend, Bare; "List templates of messages."
}
request! {
    /// Names a template.
    GetTemplate {
        /// `email` or `sms`.
        template_type: String,
        /// The template.
        slug: String,
    } => MessageTemplate; Backend GET "/v1/templates/{template_type}/{slug}" "GetTemplate";
    "Email & SMS Templates", SecretKey, Backend, Bare; "Get a template of a message."
}
request! {
    /// Puts words in the place of the server's. What is left out stays.
    PutTemplate {
        /// `email` or `sms`.
        template_type: String,
        /// The template.
        slug: String,
        /// A name for people.
        name: Option<String>,
        /// The subject of a mail.
        subject: Option<String>,
        /// The markup of a mail, or the text of a text message, with `{{otp_code}}` and the like.
        body: Option<String>,
        /// What the body was made from, in an editor: it is kept for the editor only.
        markup: Option<String>,
        /// What stands before the `@` of the sender's address, for a mail; empty for the server's own.
        from_email_name: Option<String>,
        /// What stands before the `@` of the address that answers go to, for a mail; empty for the sender's.
        reply_to_email_name: Option<String>,
        /// Whether the server delivers the message.
        delivered_by_clerk: Option<bool>,
    } => MessageTemplate; Backend PUT "/v1/templates/{template_type}/{slug}" "UpsertTemplate";
    "Email & SMS Templates", SecretKey, Backend, Bare; "Change a template of a message."
}
request! {
    /// Names a template.
    RevertTemplate {
        /// `email` or `sms`.
        template_type: String,
        /// The template.
        slug: String,
    } => MessageTemplate; Backend POST "/v1/templates/{template_type}/{slug}/revert" "RevertTemplate";
    "Email & SMS Templates", SecretKey, Backend, Bare; "Put the server's words back in their place."
}
request! {
    /// Words to try.
    PreviewTemplate {
        /// `email` or `sms`.
        template_type: String,
        /// The template.
        slug: String,
        /// The subject of a mail.
        subject: Option<String>,
        /// The markup of a mail, or the text of a text message.
        body: Option<String>,
        /// What stands before the `@` of the sender's address, for a mail; empty for the server's own.
        from_email_name: Option<String>,
        /// What stands before the `@` of the address that answers go to, for a mail; empty for the sender's.
        reply_to_email_name: Option<String>,
    } => TemplatePreview; Backend POST "/v1/templates/{template_type}/{slug}/preview" "PreviewTemplate";
    "Email & SMS Templates", SecretKey, Backend, Bare; "Show what would come of a template."
}
request! {
    /// Says who delivers a message.
    ToggleTemplateDelivery {
        /// `email` or `sms`.
        template_type: String,
        /// The template.
        slug: String,
        /// Whether the server does.
        delivered_by_clerk: Option<bool>,
    } => MessageTemplate; Backend POST "/v1/templates/{template_type}/{slug}/toggle_delivery" "ToggleTemplateDelivery";
    "Email & SMS Templates", SecretKey, Backend, Bare; "Say whether the server delivers a message."
}
