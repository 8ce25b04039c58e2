// What the pages cannot do without a script: say that figures stopped arriving, and show the confirm step as a dialog.
// Every page works without this file.
"use strict";

(() => {
  const find = (selector) => document.querySelector(selector);
  const isPoll = (event) => event.target instanceof Element && event.target.matches("#live, #chart");

  // Figures that stopped arriving are not shown as if they were fresh. "lost" and "ended" are two different notices.
  function report(state) {
    for (const name of ["lost", "ended"]) {
      const notice = find(`#connection-${name}`);
      if (notice) notice.hidden = name !== state;
    }
  }

  document.addEventListener("htmx:before:request", (event) => {
    if (isPoll(event) && (document.hidden || find("dialog[open]"))) event.preventDefault();
  });

  document.addEventListener("htmx:error", (event) => {
    if (isPoll(event)) report("lost");
  });

  document.addEventListener("htmx:after:request", (event) => {
    if (!isPoll(event)) return;
    const status = event.detail.ctx.response.status;
    report(status === 401 ? "ended" : status >= 400 ? "lost" : "");
  });

  // A confirm link loads its form into the dialog; where that fails, the link is followed as without a script.
  document.addEventListener("htmx:after:swap", (event) => {
    const dialog = find("#dialog");
    if (dialog && event.target instanceof Element && event.target.matches("[data-confirm]")) dialog.showModal();
  });

  for (const name of ["htmx:error", "htmx:response:error"]) {
    document.addEventListener(name, (event) => {
      if (event.target instanceof Element && event.target.matches("[data-confirm]")) location.assign(event.target.href);
    });
  }

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    if (event.target.closest('[aria-disabled="true"]')) event.preventDefault();
    if (event.target.closest("dialog [data-cancel]")) {
      event.preventDefault();
      find("#dialog").close();
    }
  });
})();
