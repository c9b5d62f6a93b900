import { createRoot } from "react-dom/client";
import { DoorwardContext } from "../context.js";
import type { Doorward } from "../doorward.js";
import type { ReverificationRequest } from "../use-reverification.js";
import { ReverificationDialog } from "./reverification.js";
import type { Appearance } from "./styles.js";

/** Shows the dialog beside whatever the page shows, and takes it away again. */
export function ask(doorward: Doorward, { level, complete, cancel }: ReverificationRequest, appearance?: Appearance): void {
  const { session } = doorward;
  if (!session) return cancel();
  const place = document.body.appendChild(document.createElement("div"));
  const root = createRoot(place);
  const done = (proved: boolean) => {
    root.unmount();
    place.remove();
    if (proved) complete();
    else cancel();
  };
  root.render(
    <DoorwardContext.Provider value={{ doorward }}>
      <ReverificationDialog session={session} level={level} appearance={appearance} onDone={done} />
    </DoorwardContext.Provider>,
  );
}
