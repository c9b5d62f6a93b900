import Accounts from "../../components/Accounts";

export default function Page() {
  return <Accounts callback="/sso-callback" after="/account" />;
}
