"""The published client for Python keeps a user on the server that CLERK_API_URL and CLERK_SECRET_KEY name."""

import os

from clerk_backend_api import Clerk
from clerk_backend_api.models import ClerkErrors, GetUserListRequest
from clerk_backend_api.security.types import TokenVerificationError, VerifyTokenOptions
from clerk_backend_api.security.verifytoken import verify_token

url, key = os.environ["CLERK_API_URL"], os.environ["CLERK_SECRET_KEY"]
EMAIL = "python@example.com"


def main():
    with Clerk(bearer_auth=key, server_url=f"{url}/v1") as clerk:
        made = clerk.users.create(email_address=[EMAIL], password="correct horse battery", first_name="Ada")
        assert made.first_name == "Ada" and made.email_addresses[0].email_address == EMAIL, made
        clerk.users.update(user_id=made.id, last_name="King")
        clerk.users.update_metadata(user_id=made.id, public_metadata={"plan": "pro"})
        read = clerk.users.get(user_id=made.id)
        assert (read.last_name, read.public_metadata) == ("King", {"plan": "pro"}), read
        listed = clerk.users.list(request=GetUserListRequest(email_address=[EMAIL]))
        assert [it.id for it in listed] == [made.id], listed
        assert clerk.users.count(request={"email_address": [EMAIL]}).total_count == 1

        session = clerk.sessions.create(request={"user_id": made.id})
        token = clerk.sessions.create_token(session_id=session.id).jwt
        options = VerifyTokenOptions(secret_key=key, api_url=url)
        claims = verify_token(token, options)
        assert (claims["sub"], claims["sid"]) == (made.id, session.id), claims
        try:
            verify_token(token[:-8] + "AAAAAAAA", options)
        except TokenVerificationError:
            pass
        else:
            raise AssertionError("a forged token was believed")
        clerk.sessions.revoke(session_id=session.id)
        assert clerk.sessions.get(session_id=session.id).status == "revoked"

        assert clerk.users.delete(user_id=made.id).deleted
        try:
            clerk.users.get(user_id=made.id)
        except ClerkErrors as error:
            assert error.data.errors[0].code == "resource_not_found", error.data
        else:
            raise AssertionError("a deleted user is still there")


main()
