"use client";
import { useRef, useState } from "react";
import { useDoorwardContext } from "../context.js";
import { useSession } from "../hooks.js";
import { nothing, useOffers } from "./environment.js";
import { Panel } from "./form.js";
import { useLink } from "./others.js";
import { AccountsSection } from "./profile/accounts.js";
import { DeleteSection } from "./profile/delete.js";
import { EmailSection } from "./profile/emails.js";
import { NameSection } from "./profile/name.js";
import { PasskeySection } from "./profile/passkeys.js";
import { PasswordSection } from "./profile/password.js";
import { PhoneSection } from "./profile/phones.js";
import { AccountProvider } from "./profile/section.js";
import { SessionsSection } from "./profile/sessions.js";
import { TwoStepSection } from "./profile/two-step.js";
import { WalletSection } from "./profile/wallets.js";
import { useReverify } from "./reverification.js";
import type { Appearance } from "./styles.js";

export interface UserProfileProps {
  appearance?: Appearance;
  /** Where a sign-out leads. */
  afterSignOutUrl?: string;
}

/** The account of who is signed in: all that they are known by and can sign in with, where they are signed in, and its end. */
export function UserProfile({ appearance, afterSignOutUrl }: UserProfileProps) {
  const { doorward } = useDoorwardContext();
  const { session } = useSession();
  const offers = useOffers(nothing);
  const [note, setNote] = useState("");
  const [reverify, dialog] = useReverify(session, appearance);
  const leaving = useRef(false);
  useLink(() => location.href, setNote);

  async function signOut() {
    if (leaving.current) return;
    leaving.current = true;
    await doorward.signOut({ redirectUrl: afterSignOutUrl }).catch(() => setNote("That did not work. Try again in a moment."));
    leaving.current = false;
  }

  // What the instance offers decides on what stands here: all of it comes at once, and nothing jumps.
  if (session?.status !== "active" || !offers) return null;
  return (
    <AccountProvider value={{ user: session.user, offers, reverify }}>
      <Panel title="Your account" hint={note} appearance={appearance}>
        <NameSection />
        <EmailSection />
        <PhoneSection />
        <PasswordSection />
        <TwoStepSection />
        <PasskeySection />
        <AccountsSection />
        <WalletSection />
        <DeleteSection afterUrl={afterSignOutUrl} />
        <div className="dw-more">
          <button type="button" className="dw-main" onClick={() => void signOut()}>
            Sign out
          </button>
        </div>
        {/* Last, because it comes last: what stood below would jump. */}
        <SessionsSection />
      </Panel>
      {dialog}
    </AccountProvider>
  );
}
