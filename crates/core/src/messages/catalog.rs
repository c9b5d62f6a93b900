//! The messages that the server sends, and its own words for them, in each language that it has.

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// By mail.
    Email,
    /// As a text message.
    Sms,
}

impl Channel {
    /// By the name on the wire.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Email, Self::Sms].into_iter().find(|it| it.as_str() == name)
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
        }
    }
}

/// A message that the server sends.
pub struct Kind {
    /// How it travels.
    pub channel: Channel,
    /// Its name for programs.
    pub slug: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// The value without which it is of no use.
    pub required: Option<&'static str>,
    /// Values that only this message has.
    pub more: &'static [&'static str],
    /// Our words by language; the first are those for everybody else.
    words: &'static [(&'static str, Words)],
}

/// Templates of a text: a subject, what stands before the value that matters, and what stands after it.
pub(super) struct Words {
    pub(super) subject: &'static str,
    pub(super) before: &'static str,
    pub(super) after: &'static str,
}

/// The languages of our words, the first for everybody else; the tests look that each message has them.
pub const LANGUAGES: [&str; 2] = ["en", "de"];

/// The values that every template has beside the required one.
pub const COMMON: [&str; 4] = ["app.name", "app.url", "locale", "ttl_minutes"];

const IGNORE_EN: &str = "It is good for {{ttl_minutes}} minutes and works once. If you did not ask for it, you can ignore this mail; nobody gets in without the code.";
const IGNORE_DE: &str = "Er gilt {{ttl_minutes}} Minuten und nur einmal. Wenn Sie ihn nicht angefordert haben, brauchen Sie nichts zu tun; ohne den Code kommt niemand hinein.";
const LINK_EN: &str = "It is good for {{ttl_minutes}} minutes and works once. If you did not ask for it, do not open it.";
const LINK_DE: &str = "Er gilt {{ttl_minutes}} Minuten und nur einmal. Wenn Sie ihn nicht angefordert haben, öffnen Sie ihn nicht.";

const INVITED_EN: &str =
    "It is good for {{days}} day{% if days != '1' %}s{% endif %} and works once. If you expected no invitation, you can ignore this mail.";
const INVITED_DE: &str = "Er gilt {{days}} Tag{% if days != '1' %}e{% endif %} und nur einmal. Wenn Sie keine Einladung erwartet haben, brauchen Sie nichts zu tun.";

const NOT_YOU_EN: &str = "If that was not you, choose a new password at once and contact {{app.name}}.";
const NOT_YOU_DE: &str = "Wenn Sie das nicht waren, wählen Sie sofort ein neues Passwort und wenden Sie sich an {{app.name}}.";

const fn email(slug: &'static str, name: &'static str, required: &'static str, words: &'static [(&'static str, Words)]) -> Kind {
    Kind { channel: Channel::Email, slug, name, required: Some(required), more: &[], words }
}

const fn notice(slug: &'static str, name: &'static str, more: &'static [&'static str], words: &'static [(&'static str, Words)]) -> Kind {
    Kind { channel: Channel::Email, slug, name, required: None, more, words }
}

const fn sms(slug: &'static str, name: &'static str, words: &'static [(&'static str, Words)]) -> Kind {
    Kind { channel: Channel::Sms, slug, name, required: Some("otp_code"), more: &[], words }
}

const fn words(subject: &'static str, before: &'static str, after: &'static str) -> Words {
    Words { subject, before, after }
}

/// All of them, in the order of the list.
pub static KINDS: [Kind; 16] = [
    email(
        "verification_code",
        "Verification code",
        "otp_code",
        &[
            ("en", words("{{otp_code}} is your {{app.name}} code", "Your code for {{app.name}} is:", IGNORE_EN)),
            ("de", words("{{otp_code}} ist Ihr Code für {{app.name}}", "Ihr Code für {{app.name}} lautet:", IGNORE_DE)),
        ],
    ),
    email(
        "reset_password_code",
        "Reset password code",
        "otp_code",
        &[
            ("en", words("{{otp_code}} is your {{app.name}} code", "Your code to choose a new password at {{app.name}} is:", IGNORE_EN)),
            (
                "de",
                words("{{otp_code}} ist Ihr Code für {{app.name}}", "Ihr Code für ein neues Passwort bei {{app.name}} lautet:", IGNORE_DE),
            ),
        ],
    ),
    email(
        "magic_link_sign_in",
        "Sign in link",
        "magic_link",
        &[
            ("en", words("Your link to sign in at {{app.name}}", "Open this link to sign in at {{app.name}}:", LINK_EN)),
            (
                "de",
                words("Ihr Link zur Anmeldung bei {{app.name}}", "Öffnen Sie diesen Link, um sich bei {{app.name}} anzumelden:", LINK_DE),
            ),
        ],
    ),
    email(
        "magic_link_sign_up",
        "Sign up link",
        "magic_link",
        &[
            ("en", words("Your link to sign up at {{app.name}}", "Open this link to sign up at {{app.name}}:", LINK_EN)),
            (
                "de",
                words(
                    "Ihr Link zur Registrierung bei {{app.name}}",
                    "Öffnen Sie diesen Link, um sich bei {{app.name}} zu registrieren:",
                    LINK_DE,
                ),
            ),
        ],
    ),
    email(
        "magic_link_user_profile",
        "Verify address link",
        "magic_link",
        &[
            (
                "en",
                words(
                    "Your link to prove that this address is yours at {{app.name}}",
                    "Open this link to prove that this address is yours at {{app.name}}:",
                    LINK_EN,
                ),
            ),
            (
                "de",
                words(
                    "Bestätigen Sie Ihre Adresse bei {{app.name}}",
                    "Öffnen Sie diesen Link, um Ihre Adresse bei {{app.name}} zu bestätigen:",
                    LINK_DE,
                ),
            ),
        ],
    ),
    email(
        "primary_email_address_changed",
        "Primary email address changed",
        "new_email_address",
        &[
            (
                "en",
                words(
                    "Your primary e-mail address at {{app.name}} was changed",
                    "The primary e-mail address of your account at {{app.name}} is now:",
                    "If this was not your wish, please contact {{app.name}}.",
                ),
            ),
            (
                "de",
                words(
                    "Ihre wichtigste E-Mail-Adresse bei {{app.name}} wurde geändert",
                    "Die wichtigste E-Mail-Adresse Ihres Kontos bei {{app.name}} ist nun:",
                    "Wenn Sie das nicht wollten, wenden Sie sich bitte an {{app.name}}.",
                ),
            ),
        ],
    ),
    Kind {
        channel: Channel::Email,
        slug: "invitation",
        name: "Invitation",
        required: Some("action_url"),
        more: &["days"],
        words: &[
            ("en", words("You are invited to {{app.name}}", "You are invited to join {{app.name}}. Open this link to accept:", INVITED_EN)),
            (
                "de",
                words(
                    "Sie sind zu {{app.name}} eingeladen",
                    "Sie sind zu {{app.name}} eingeladen. Öffnen Sie diesen Link, um anzunehmen:",
                    INVITED_DE,
                ),
            ),
        ],
    },
    Kind {
        channel: Channel::Email,
        slug: "waitlist_invitation",
        name: "Waitlist invitation",
        required: Some("action_url"),
        more: &["days"],
        words: &[
            (
                "en",
                words(
                    "You can join {{app.name}} now",
                    "Thank you for waiting: you can join {{app.name}} now. Open this link to accept:",
                    INVITED_EN,
                ),
            ),
            (
                "de",
                words(
                    "Sie können nun zu {{app.name}}",
                    "Danke für Ihre Geduld: {{app.name}} steht Ihnen nun offen. Öffnen Sie diesen Link, um anzunehmen:",
                    INVITED_DE,
                ),
            ),
        ],
    },
    notice(
        "waitlist_confirmation",
        "Waitlist confirmation",
        &[],
        &[
            (
                "en",
                words(
                    "You are on the waitlist of {{app.name}}",
                    "You are on the waitlist of {{app.name}}. You get another mail when you can join.",
                    "If you did not ask for it, you can ignore this mail.",
                ),
            ),
            (
                "de",
                words(
                    "Sie stehen auf der Warteliste von {{app.name}}",
                    "Sie stehen auf der Warteliste von {{app.name}}. Sie bekommen eine weitere Nachricht, wenn Sie an der Reihe sind.",
                    "Wenn Sie nicht darum gebeten haben, brauchen Sie nichts zu tun.",
                ),
            ),
        ],
    ),
    notice(
        "password_changed",
        "Password changed",
        &[],
        &[
            (
                "en",
                words("Your password at {{app.name}} was changed", "The password of your account at {{app.name}} was changed.", NOT_YOU_EN),
            ),
            (
                "de",
                words(
                    "Ihr Passwort bei {{app.name}} wurde geändert",
                    "Das Passwort Ihres Kontos bei {{app.name}} wurde geändert.",
                    NOT_YOU_DE,
                ),
            ),
        ],
    ),
    notice(
        "password_removed",
        "Password removed",
        &[],
        &[
            (
                "en",
                words("Your password at {{app.name}} was removed", "The password of your account at {{app.name}} was removed.", NOT_YOU_EN),
            ),
            (
                "de",
                words(
                    "Ihr Passwort bei {{app.name}} wurde entfernt",
                    "Das Passwort Ihres Kontos bei {{app.name}} wurde entfernt.",
                    NOT_YOU_DE,
                ),
            ),
        ],
    ),
    notice(
        "account_locked",
        "Account locked",
        &["minutes"],
        &[
            (
                "en",
                words(
                    "Your account at {{app.name}} is locked",
                    "There were too many wrong attempts to sign in to your account at {{app.name}}. For {{minutes}} minutes nobody can sign in to it.",
                    "If that was not you, somebody is guessing your password: make sure that you use it nowhere else.",
                ),
            ),
            (
                "de",
                words(
                    "Ihr Konto bei {{app.name}} ist gesperrt",
                    "Es gab zu viele falsche Versuche, sich bei Ihrem Konto bei {{app.name}} anzumelden. Für {{minutes}} Minuten kann sich dort niemand anmelden.",
                    "Wenn Sie das nicht waren, rät jemand Ihr Passwort: Achten Sie darauf, dass Sie es nirgends sonst verwenden.",
                ),
            ),
        ],
    ),
    notice(
        "sign_in_from_new_device",
        "Sign in from new device",
        &["device", "ip_address", "location", "signed_in_at"],
        &[
            (
                "en",
                words(
                    "A new device signed in to your account at {{app.name}}",
                    "Somebody signed in to your account at {{app.name}} on a device that is new to it: {{signed_in_at}}{% if device %}, {{device}}{% endif %}{% if location %}, {{location}}{% endif %}{% if ip_address %}, {{ip_address}}{% endif %}.",
                    NOT_YOU_EN,
                ),
            ),
            (
                "de",
                words(
                    "Neues Gerät bei Ihrem Konto bei {{app.name}}",
                    "Bei Ihrem Konto bei {{app.name}} hat sich jemand mit einem neuen Gerät angemeldet: {{signed_in_at}}{% if device %}, {{device}}{% endif %}{% if location %}, {{location}}{% endif %}{% if ip_address %}, {{ip_address}}{% endif %}.",
                    NOT_YOU_DE,
                ),
            ),
        ],
    ),
    sms(
        "verification_code",
        "Verification code",
        &[
            ("en", words("", "{{otp_code}} is your {{app.name}} code. It is good for {{ttl_minutes}} minutes. Give it to nobody.", "")),
            ("de", words("", "{{otp_code}} ist Ihr Code für {{app.name}}. Er gilt {{ttl_minutes}} Minuten. Geben Sie ihn niemandem.", "")),
        ],
    ),
    sms(
        "reset_password_code",
        "Reset password code",
        &[
            (
                "en",
                words(
                    "",
                    "{{otp_code}} is your {{app.name}} code for a new password. It is good for {{ttl_minutes}} minutes. Give it to nobody.",
                    "",
                ),
            ),
            (
                "de",
                words(
                    "",
                    "{{otp_code}} ist Ihr Code für ein neues Passwort bei {{app.name}}. Er gilt {{ttl_minutes}} Minuten. Geben Sie ihn niemandem.",
                    "",
                ),
            ),
        ],
    ),
    Kind {
        channel: Channel::Sms,
        slug: "invitation",
        name: "Invitation",
        required: Some("action_url"),
        more: &[],
        words: &[
            ("en", words("", "You are invited to join {{app.name}}: {{action_url}}", "")),
            ("de", words("", "Sie sind zu {{app.name}} eingeladen: {{action_url}}", "")),
        ],
    },
];

impl Kind {
    /// The message of a name.
    pub fn find(channel: Channel, slug: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.channel == channel && kind.slug == slug)
    }

    /// Our words in the language that comes closest to a tag (BCP 47), and which language that is.
    fn words(&self, locale: Option<&str>) -> (&'static str, &'static Words) {
        let wanted = locale.unwrap_or_default().split(['-', '_']).next().unwrap_or_default();
        let found = self.words.iter().find(|(language, _)| language.eq_ignore_ascii_case(wanted)).or(self.words.first());
        // Each has at least one; the tests look.
        found.map_or(("en", &Words { subject: "", before: "", after: "" }), |(language, words)| (*language, words))
    }

    /// The language that a tag leads to.
    pub fn language(&self, locale: Option<&str>) -> &'static str {
        self.words(locale).0
    }

    /// The template of the subject.
    pub fn subject(&self, locale: Option<&str>) -> &'static str {
        self.words(locale).1.subject
    }

    /// The template of the plain text.
    pub fn text(&self, locale: Option<&str>) -> String {
        let Words { before, after, .. } = self.words(locale).1;
        match (self.channel, self.required) {
            (Channel::Sms, _) => (*before).to_owned(),
            (_, Some(link @ ("magic_link" | "action_url"))) => format!("{before}\n\n{{{{{link}}}}}\n\n{after}\n"),
            (_, Some(value)) => format!("{before}\n\n    {{{{{value}}}}}\n\n{after}\n"),
            (_, None) => format!("{before}\n\n{after}\n"),
        }
    }

    /// The template of the markup.
    pub fn html(&self, locale: Option<&str>) -> String {
        let (language, Words { before, after, .. }) = self.words(locale);
        let value = match self.required {
            Some(link @ ("magic_link" | "action_url")) => format!("<p><a href=\"{{{{{link}}}}}\">{{{{{link}}}}}</a></p>\n"),
            Some(value) => format!("<p style=\"font-size: 1.5em; font-weight: bold\">{{{{{value}}}}}</p>\n"),
            None => String::new(),
        };
        format!(
            "<!doctype html>\n<html lang=\"{language}\">\n<body style=\"font-family: sans-serif; color: #151515; max-width: 32em\">\n<p>{before}</p>\n{value}<p>{after}</p>\n</body>\n</html>\n"
        )
    }
}
