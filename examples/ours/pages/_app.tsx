import "../styles/app.css";
import { DoorwardProvider } from "@doorward/nextjs";
import type { AppProps } from "next/app";
import Head from "next/head";
import Header from "../components/Header";

const links: [string, string][] = [
  ["/", "Status"],
  ["/signin", "Sign in"],
  ["/protected", "Protected"],
  ["/signup", "Sign up"],
];

export default function App({ Component, pageProps }: AppProps) {
  return (
    <DoorwardProvider {...pageProps}>
      <Head>
        <title>Doorward example</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
      </Head>
      <Header links={links} />
      <main>
        <Component {...pageProps} />
      </main>
    </DoorwardProvider>
  );
}
