// Published issues are immutable; `issues.js` lists the current issues of the site. Adds the "Next" link.
"use strict";
(() => {
  const known = window.liqmapIssues;
  const { issue, page } = document.body.dataset;
  const newest = document.querySelector("a.newest");
  if (!known || !issue || !newest) return;
  const root = newest.getAttribute("href").slice(0, -`latest/${page}`.length);
  const paths = Object.keys(known.issues).sort();
  // Remove the "Previous" link if that issue is no longer published.
  const before = document.querySelector("nav a[rel=prev]");
  if (before && !paths.some((path) => before.getAttribute("href").startsWith(`${root}${path}/`))) before.remove();
  const next = paths.find((path) => path > issue);
  if (!next) {
    newest.remove();
    return;
  }
  const [slug, inner] = page.split("/");
  const has = !inner || known.issues[next].some((index) => known.slugs[index] === slug);
  const link = document.createElement("a");
  link.rel = "next";
  link.textContent = "Next";
  link.href = `${root}${next}/${has ? page : "index.html"}`;
  newest.before(link);
})();
