"""The published client for Python keeps real things on the server that CLERK_API_URL and CLERK_SECRET_KEY name, tag by tag.

Its models are typed: a null or a value of an enumeration that is not in them fails the reading of a whole answer.
"""

import base64
import json
import os
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from clerk_backend_api import Clerk, models
from clerk_backend_api.models import ClerkBaseError, GetUserListRequest
from clerk_backend_api.security.types import TokenVerificationError, VerifyTokenOptions
from clerk_backend_api.security.verifytoken import verify_token

url, key, frontend = os.environ["CLERK_API_URL"], os.environ["CLERK_SECRET_KEY"], os.environ["FRONTEND_URL"]
verification = VerifyTokenOptions(secret_key=key, api_url=url)
EMAIL = "python@example.com"
PASSWORD = "correct horse battery"
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def refused(code, call, **args):
    try:
        answer = call(**args)
    except ClerkBaseError as error:
        # Its `data` is there only where the reference says what the refusal's body looks like.
        assert json.loads(error.body)["errors"][0]["code"] == code, error.body
    else:
        raise AssertionError(f"not refused with {code}: {answer}")


def gone(call, **args):
    refused("resource_not_found", call, **args)


def plain(path):
    """What the server says without the client: some of its models, like the claims of a template, have no fields."""
    with urlopen(Request(f"{url}/v1/{path}", headers={"authorization": f"Bearer {key}"})) as answer:
        return json.load(answer)


def visit(path, **form):
    """What an app does that somebody uses: the attempt that it began, and the token of its client."""
    with urlopen(Request(f"{frontend}/v1/client/{path}?_is_native=1", data=urlencode(form).encode())) as answer:
        return json.load(answer)["response"], answer.headers["authorization"]


def person(clerk, name, **more):
    return clerk.users.create(email_address=[f"{name}@python.example"], password=PASSWORD, first_name="Ada", **more)


def users(clerk):
    made = clerk.users.create(email_address=[EMAIL], password=PASSWORD, first_name="Ada")
    assert made.first_name == "Ada" and made.email_addresses[0].email_address == EMAIL, made
    clerk.users.update(user_id=made.id, last_name="King", external_id="python-1")
    clerk.users.update_metadata(user_id=made.id, public_metadata={"plan": "pro"}, private_metadata={"note": 1})
    read = clerk.users.get(user_id=made.id)
    assert (read.last_name, read.external_id) == ("King", "python-1"), read
    assert (read.public_metadata, read.private_metadata) == ({"plan": "pro"}, {"note": 1}), read
    replaced = clerk.users.replace_metadata(user_id=made.id, public_metadata={"trial": True})
    assert (replaced.public_metadata, replaced.private_metadata) == ({"trial": True}, {"note": 1}), replaced
    listed = clerk.users.list(request=GetUserListRequest(email_address=[EMAIL]))
    assert [it.id for it in listed] == [made.id], listed
    assert clerk.users.count(request={"email_address": [EMAIL]}).total_count == 1
    refused("form_identifier_exists", clerk.users.create, email_address=[EMAIL], password=PASSWORD)

    assert clerk.users.verify_password(user_id=made.id, password=PASSWORD).verified
    refused("incorrect_password", clerk.users.verify_password, user_id=made.id, password="wrong")
    assert [it.banned for it in clerk.users.bulk_ban(user_ids=[made.id])] == [True]
    assert not clerk.users.unban(user_id=made.id).banned
    assert clerk.users.lock(user_id=made.id).locked
    assert not clerk.users.unlock(user_id=made.id).locked
    file = {"file_name": "a.png", "content": PICTURE, "content_type": "image/png"}
    assert clerk.users.set_profile_image(user_id=made.id, file=file).has_image
    assert not clerk.users.delete_profile_image(user_id=made.id).has_image
    assert not clerk.users.remove_password(user_id=made.id).password_enabled
    assert clerk.users.list_trusted_devices(user_id=made.id).total_count == 0

    assert clerk.users.delete(user_id=made.id).deleted
    gone(clerk.users.get, user_id=made.id)


def email_addresses(clerk):
    api, user = clerk.email_addresses, person(clerk, "addresses")
    made = api.create(request={"user_id": user.id, "email_address": "second@python.example", "verified": False})
    assert (made.email_address, made.verification) == ("second@python.example", None), made
    changed = api.update(email_address_id=made.id, verified=True, primary=True)
    assert (changed.verification.status, changed.verification.strategy) == ("verified", "admin"), changed
    assert clerk.users.get(user_id=user.id).primary_email_address_id == made.id
    assert api.get(email_address_id=made.id) == changed
    assert api.delete(email_address_id=made.id).deleted
    gone(api.get, email_address_id=made.id)
    replaced = api.replace_for_user(user_id=user.id, email_address="third@python.example")
    left = clerk.users.get(user_id=user.id).email_addresses
    assert [(it.id, it.email_address) for it in left] == [(replaced.id, "third@python.example")], left


def phone_numbers(clerk):
    api, user = clerk.phone_numbers, person(clerk, "numbers")
    made = api.create(request={"user_id": user.id, "phone_number": "+12024560191", "verified": True})
    assert (made.phone_number, made.reserved_for_second_factor) == ("+12024560191", False), made
    changed = api.update(phone_number_id=made.id, reserved_for_second_factor=True)
    assert (changed.reserved_for_second_factor, changed.default_second_factor) == (True, True), changed
    assert api.get(phone_number_id=made.id) == changed
    assert clerk.users.get(user_id=user.id).two_factor_enabled
    assert clerk.users.disable_mfa(user_id=user.id).user_id == user.id
    assert not clerk.users.get(user_id=user.id).two_factor_enabled
    assert api.delete(phone_number_id=made.id).deleted
    gone(api.get, phone_number_id=made.id)
    assert clerk.users.get(user_id=user.id).phone_numbers == []


def invitations(clerk):
    api, pending = clerk.invitations, models.ListInvitationsQueryParamStatus.PENDING
    guest = {"email_address": "guest@python.example", "public_metadata": {"role": "guest"}, "notify": False}
    made = api.create(request=guest)
    assert (made.email_address, made.status, made.public_metadata) == ("guest@python.example", "pending", {"role": "guest"}), made
    refused("duplicate_record", api.create, request=guest)
    addresses = ["one@python.example", "two@python.example"]
    many = api.bulk_create(request=[{"email_address": it, "notify": False} for it in addresses])
    assert [it.email_address for it in many] == addresses, many
    assert [it.id for it in api.list(status=pending, query="guest@python")] == [made.id]
    revoked = api.revoke(invitation_id=made.id)
    assert (revoked.id, revoked.status, revoked.REVOKED) == (made.id, "revoked", True), revoked
    assert api.list(status=pending, query="guest@python") == []
    for it in many:
        api.revoke(invitation_id=it.id)


def identifiers(clerk):
    api = clerk.allowlist_identifiers
    made = api.create(request={"identifier": "*@python.org", "notify": False})
    assert (made.identifier, made.identifier_type) == ("*@python.org", "email_address"), made
    assert [it.id for it in api.list()] == [made.id]
    assert api.delete(identifier_id=made.id).deleted
    assert api.list() == []
    gone(api.delete, identifier_id=made.id)

    api = clerk.blocklist_identifiers
    made = api.create(request={"identifier": "+12024560192"})
    assert (made.identifier, made.identifier_type) == ("+12024560192", "phone_number"), made
    refused("duplicate_record", api.create, request={"identifier": "+12024560192"})
    listed = api.list()
    assert ([it.id for it in listed.data], listed.total_count) == ([made.id], 1), listed
    assert api.delete(identifier_id=made.id).deleted
    assert api.list().total_count == 0


def jwt_templates(clerk):
    api, session = clerk.jwt_templates, clerk.sessions.create(request={"user_id": person(clerk, "templates").id})
    made = api.create(request={"name": "python", "claims": {}, "lifetime": 120, "allowed_clock_skew": 7})
    assert (made.name, made.lifetime, made.allowed_clock_skew, made.signing_algorithm) == ("python", 120, 7, "RS256"), made
    assert api.get(template_id=made.id) == made
    assert [it.id for it in api.list()] == [made.id]
    changed = api.update(template_id=made.id, name="python-2", claims={}, lifetime=60)
    assert (changed.name, changed.lifetime) == ("python-2", 60), changed
    token = clerk.sessions.create_token_from_template(session_id=session.id, template_name="python-2").jwt
    claims = verify_token(token, verification)
    assert (claims["sub"], claims["exp"] - claims["iat"], claims["iat"] - claims["nbf"]) == (session.user_id, 60, 7), claims
    assert api.delete(template_id=made.id).deleted
    gone(api.get, template_id=made.id)
    gone(clerk.sessions.create_token_from_template, session_id=session.id, template_name="python-2")


def sessions(clerk):
    api, user = clerk.sessions, person(clerk, "sessions")
    one, two = (api.create(request={"user_id": user.id}) for _ in range(2))
    listed = api.list(user_id=user.id, status=models.QueryParamStatus.ACTIVE)
    assert {it.id for it in listed} == {one.id, two.id}, listed
    token = api.create_token(session_id=one.id).jwt
    claims = verify_token(token, verification)
    assert (claims["sub"], claims["sid"]) == (user.id, one.id), claims
    try:
        verify_token(token[:-8] + "AAAAAAAA", verification)
    except TokenVerificationError:
        pass
    else:
        raise AssertionError("a forged token was believed")
    assert api.revoke(session_id=one.id).status == "revoked"
    assert (api.get(session_id=one.id).status, api.get(session_id=two.id).status) == ("revoked", "active")
    gone(api.create_token, session_id=one.id)
    assert [it.id for it in api.list(user_id=user.id, status=models.QueryParamStatus.REVOKED)] == [one.id]


def clients(clerk):
    session = clerk.sessions.create(request={"user_id": person(clerk, "clients").id})
    client = clerk.clients.get(client_id=session.client_id)
    assert (client.session_ids, client.sessions[0].user_id) == ([session.id], session.user_id), client
    assert client.id in [it.id for it in clerk.clients.list(limit=100)]


def sign_in_tokens(clerk):
    api, user = clerk.sign_in_tokens, person(clerk, "tickets")
    made = api.create(request={"user_id": user.id, "expires_in_seconds": 600})
    assert (made.status, made.user_id) == ("pending", user.id), made
    attempt, token = visit("sign_ins", strategy="ticket", ticket=made.token)
    assert attempt["status"] == "complete", attempt
    client = clerk.clients.verify(request={"token": token})
    assert client.session_ids == [attempt["created_session_id"]], client
    assert (client.sessions[0].user_id, client.last_authentication_strategy) == (user.id, "ticket"), client
    unused = api.create(request={"user_id": user.id})
    revoked = api.revoke(sign_in_token_id=unused.id)
    assert (revoked.id, revoked.status) == (unused.id, "revoked"), revoked


def actor_tokens(clerk):
    api, user = clerk.actor_tokens, person(clerk, "acted")
    support = {"user_id": user.id, "actor": {"sub": "user_support"}}
    made = api.create(request=support)
    assert (made.status, made.user_id) == ("pending", user.id), made
    attempt, _ = visit("sign_ins", strategy="ticket", ticket=made.token)
    session = clerk.sessions.get(session_id=attempt["created_session_id"])
    assert session.user_id == user.id and session.actor is not None, session
    assert plain(f"sessions/{session.id}")["actor"]["sub"] == "user_support"
    unused = api.create(request=support)
    assert api.revoke(actor_token_id=unused.id).status == "revoked"
    refused("form_param_missing", api.create, request={"user_id": user.id, "actor": {"sub": ""}})


def agent_tasks(clerk):
    api, user = clerk.agent_tasks, person(clerk, "delegating")
    task = {"permissions": "*", "agent_name": "shopper", "task_description": "Orders paper", "redirect_url": "http://localhost:3000/"}
    made = api.create(request={"on_behalf_of": {"user_id": user.id}, **task})
    assert made.url.startswith(f"{frontend}/v1/agents/tasks?ticket="), made
    revoked = api.revoke(agent_task_id=made.agent_task_id)
    assert (revoked.agent_id, revoked.url) == (made.agent_id, None), revoked
    refused("agent_task_cannot_be_revoked_code", api.revoke, agent_task_id=made.agent_task_id)
    gone(api.create, request={"on_behalf_of": {"identifier": "nobody@python.example"}, **task})


def sign_ups(clerk):
    begun, _ = visit("sign_ups", email_address="begun@python.example")
    assert clerk.sign_ups.update(id=begun["id"], external_id="python-2").external_id == "python-2"
    read = clerk.sign_ups.get(id=begun["id"])
    assert (read.status, read.email_address, read.external_id) == ("missing_requirements", "begun@python.example", "python-2"), read
    assert read.verifications.email_address.next_action == "needs_prepare", read


def waitlist_entries(clerk):
    api = clerk.waitlist_entries
    made = api.create(request={"email_address": "later@python.example", "notify": False})
    assert (made.email_address, made.status) == ("later@python.example", "pending") and not made.invitation, made
    addresses = ["never@python.example", "gone@python.example"]
    never, left = api.bulk_create(request=[{"email_address": it, "notify": False} for it in addresses])
    invited = api.invite(waitlist_entry_id=made.id)
    assert (invited.status, invited.invitation.email_address) == ("invited", "later@python.example"), invited
    assert api.reject(waitlist_entry_id=never.id).status == "rejected"
    assert api.delete(waitlist_entry_id=left.id).deleted
    listed = api.list(order_by="email_address")
    shown = [(it.email_address, it.status.value) for it in listed.data]
    assert shown == [("later@python.example", "invited"), ("never@python.example", "rejected")], shown
    assert api.list(status=models.ListWaitlistEntriesQueryParamStatus.INVITED).total_count == 1


def redirect_urls(clerk):
    api = clerk.redirect_urls
    made = api.create(request={"url": "python://callback"})
    assert (made.url, api.get(id=made.id)) == ("python://callback", made), made
    assert [it.id for it in api.list()] == [made.id]
    assert api.delete(id=made.id).deleted
    gone(api.get, id=made.id)


def domains(clerk):
    api = clerk.domains
    (first,) = api.list().data
    assert (first.is_satellite, first.frontend_api_url) == (False, frontend), first
    made = api.add(request={"name": "satellite.python.example", "is_satellite": True})
    assert (made.name, made.is_satellite) == ("satellite.python.example", True), made
    changed = api.update(domain_id=made.id, name="moved.python.example")
    assert (changed.id, changed.name) == (made.id, "moved.python.example"), changed
    assert [it.name for it in api.list().data if it.is_satellite] == ["moved.python.example"]
    assert api.delete(domain_id=made.id).deleted
    assert api.list().total_count == 1


def templates(clerk):
    email = models.PathParamTemplateType.EMAIL, models.UpsertTemplatePathParamTemplateType.EMAIL, models.RevertTemplatePathParamTemplateType.EMAIL
    of = {"slug": "verification_code"}
    before = clerk.email_sms_templates.get(template_type=email[0], **of)
    text = {"name": "Code", "subject": "{{otp_code}} for you", "body": "<p>{{otp_code}}</p>"}
    written = clerk.email_and_sms_templates.upsert(template_type=email[1], **of, **text)
    assert (written.subject, written.body, written.resource_type) == (text["subject"], text["body"], "user"), written
    assert clerk.email_sms_templates.revert(template_type=email[2], **of).subject == before.subject
    slugs = [it.slug for it in clerk.email_sms_templates.list(template_type=models.TemplateType.EMAIL, limit=50)]
    assert "verification_code" in slugs and "invitation" in slugs, slugs


def instance(clerk):
    api = clerk.instance_settings
    assert api.get().environment_type == "development"
    api.update(request={"allowed_origins": ["http://localhost:3000"], "support_email": "help@python.example"})
    assert api.get().allowed_origins == ["http://localhost:3000"]
    api.update(request={"allowed_origins": []})
    on = api.update_restrictions(request={"blocklist": True, "block_email_subaddresses": True})
    assert (on.allowlist, on.blocklist, on.block_email_subaddresses) == (False, True, True), on
    off = api.update_restrictions(request={"blocklist": False, "block_email_subaddresses": False})
    assert (off.blocklist, off.block_email_subaddresses) == (False, False), off
    blocked = api.get_communication().blocked_country_codes
    assert api.update_communication(request={"blocked_country_codes": ["FR"]}).blocked_country_codes == ["FR"]
    assert api.update_communication(request={"blocked_country_codes": blocked}).blocked_country_codes == blocked
    assert api.update_organization_settings(request={"enabled": False}) == api.get_organization_settings()
    assert not api.get_organization_settings().enabled
    assert api.get_instance_protect().rules_enabled is False
    assert api.get_o_auth_application_settings().dynamic_oauth_client_registration is False


def keys_and_tokens(clerk):
    (rsa,) = clerk.jwks.get_jwks().keys
    assert (rsa.kty, rsa.alg, rsa.use) == ("RSA", "RS256", "sig"), rsa
    assert clerk.testing_tokens.create().token
    assert clerk.webhooks.create_svix_app().svix_url.startswith("http")


STORIES = [
    *(users, email_addresses, phone_numbers, invitations, identifiers, jwt_templates, sessions, clients, sign_in_tokens),
    *(actor_tokens, agent_tasks, sign_ups, waitlist_entries, redirect_urls, domains, templates, instance, keys_and_tokens),
]

with Clerk(bearer_auth=key, server_url=f"{url}/v1") as every:
    for story in STORIES:
        story(every)
