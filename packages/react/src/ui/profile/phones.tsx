"use client";
import { useState } from "react";
import { Link } from "../form.js";
import { BackupCodes } from "./backup-codes.js";
import { Identifiers } from "./identifiers.js";
import { useAccount } from "./section.js";

export function PhoneSection() {
  const { user, offers } = useAccount();
  const [codes, setCodes] = useState<string[]>();
  const phone = offers?.attributes.phoneNumber;
  if (!phone?.enabled && !user.phoneNumbers.length) return null;
  const asSecond = phone?.secondFactors.includes("phone_code");
  return (
    <>
      <Identifiers
        title="Phone numbers"
        noun="phone number"
        items={user.phoneNumbers}
        text={(it) => it.phoneNumber}
        primary={user.primaryPhoneNumberId}
        ask={{ name: "phoneNumber", label: "Phone number", type: "tel", autoComplete: "tel" }}
        strategy="phone_code"
        create={(phoneNumber) => user.createPhoneNumber({ phoneNumber })}
        makePrimary={({ id }) => user.update({ primaryPhoneNumberId: id })}
        canAdd={phone?.enabled ?? false}
        state={(it) => (it.reservedForSecondFactor ? "Second step" : undefined)}
        more={(it, act) =>
          asSecond &&
          it.verification.status === "verified" && (
            <Link
              label={it.reservedForSecondFactor ? `No longer use ${it.phoneNumber} as a second step` : `Use ${it.phoneNumber} as a second step`}
              onClick={() =>
                act(async () => {
                  const reserved = !it.reservedForSecondFactor;
                  const changed = await it.setReservedForSecondFactor({ reserved });
                  setCodes(changed.backupCodes);
                  return reserved ? `Whoever signs in is asked for a code that ${it.phoneNumber} gets.` : `${it.phoneNumber} is no second step any more.`;
                })
              }
            >
              {it.reservedForSecondFactor ? "Not as second step" : "Use as second step"}
            </Link>
          )
        }
      />
      {codes && <BackupCodes codes={codes} onDone={() => setCodes(undefined)} />}
    </>
  );
}
