import Accounts from "../../components/Accounts";

export default function Page() {
  return <Accounts callback="/classic/sso-callback" after="/protected" />;
}
