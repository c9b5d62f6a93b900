import { DoorwardProvider } from "@doorward/nextjs";
import { auth, initialState } from "@doorward/nextjs/server";
import type { Metadata } from "next";
import type { ReactNode } from "react";
import Header from "../components/Header";
import "../styles/app.css";

export const metadata: Metadata = { title: "Doorward example" };

const links: [string, string][] = [
  ["/", "Status"],
  ["/signals", "Sign in"],
  ["/signup", "Sign up"],
  ["/account", "Account"],
];

export default async function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <DoorwardProvider initialState={initialState(await auth())}>
          <Header links={links} />
          <main>{children}</main>
        </DoorwardProvider>
      </body>
    </html>
  );
}
