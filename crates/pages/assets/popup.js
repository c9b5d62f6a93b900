"use strict";
const { opener, session, returnUrl, state } = document.body.dataset;
if (window.opener && opener && (session || returnUrl)) {
  const message = session ? { session } : { return_url: returnUrl };
  window.opener.postMessage(state ? { ...message, state } : message, opener);
  window.close();
}
