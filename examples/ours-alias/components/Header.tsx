import { useAuth } from "@clerk/nextjs";
import Link from "next/link";

export default function Header({ links }: { links: [href: string, text: string][] }) {
  const { isLoaded, userId } = useAuth();

  return (
    <header>
      <nav>
        {links.map(([href, text]) => (
          <Link key={href} href={href}>
            {text}
          </Link>
        ))}
      </nav>
      <p id="browser-user">{!isLoaded ? "Loading" : userId ? `Signed in as ${userId}` : "Signed out"}</p>
    </header>
  );
}
