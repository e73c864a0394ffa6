--- The style and the script of a session's page, with the hashes by which its policy lets these run and
-- nothing else. spec/command/html_spec.lua says the new hashes when they have changed.
local assets = {}

assets.style = [[
:root { color-scheme: light dark; --page: #fff; --text: #1f2328; --dim: #59636e; --line: #d1d9e0;
  --box: #f6f8fa; --user: #0550ae; --assistant: #116329; --system: #6639ba; --tool: #953800; --raw: #a40e26; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --text: #e6edf3; --dim: #9198a1; --line: #3d444d;
  --box: #151b23; --user: #79c0ff; --assistant: #7ee787; --system: #d2a8ff; --tool: #ffa657; --raw: #ff7b72; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 56rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; line-height: 1.3; margin: .5rem 0; }
h2 { font-size: 1rem; margin: 0; }
a { color: inherit; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin: .5rem 0; color: var(--dim); }
dd { margin: 0; white-space: pre-wrap; }
.find { position: sticky; top: 0; padding: .5rem 0; background: var(--page); border-bottom: 1px solid var(--line); }
.find input { font: inherit; width: min(24rem, 60%); padding: .3rem .6rem; }
.find output { color: var(--dim); margin-left: .5rem; }
article { margin: 1rem 0; padding: .25rem 0 .25rem 1rem; border-left: .25rem solid var(--role, var(--line)); }
article header { display: flex; gap: .75rem; align-items: baseline; color: var(--dim); font-size: .875rem; }
article h2 { color: var(--role, var(--dim)); }
article header a { margin-left: auto; text-decoration: none; }
article:target { background: var(--box); }
.user { --role: var(--user); }
.assistant { --role: var(--assistant); }
.system { --role: var(--system); }
.tool { --role: var(--tool); }
.text { white-space: pre-wrap; margin: .25rem 0; }
.small { color: var(--dim); font-size: .875rem; }
.raw { color: var(--raw); font-family: ui-monospace, monospace; unicode-bidi: isolate; }
.damage { color: var(--raw); }
details { margin: .25rem 0; border: 1px solid var(--line); border-radius: .375rem; background: var(--box); }
summary { padding: .25rem .75rem; cursor: pointer; font-family: ui-monospace, monospace; font-size: .875rem; }
pre { margin: 0; padding: .5rem .75rem; white-space: pre-wrap; border-top: 1px solid var(--line);
  font: .875rem/1.45 ui-monospace, monospace; }
[hidden] { display: none; }
@media print { .find { display: none; } }
]]

-- Folds a text as the module's searches do, nearly; shows the turns that hold all words; opens what is folded
-- where they are in it, and folds that again when they no longer are.
assets.script = [[
"use strict";
const box = document.getElementById("search");
const count = document.getElementById("count");
const fold = text => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const parts = [...document.querySelectorAll("main > *")];
const folded = new Map();
const opened = new Set();
const text = element => {
  if (!folded.has(element)) folded.set(element, fold(element.textContent));
  return folded.get(element);
};
const unfold = (details, words) => {
  const wanted = words.some(word => text(details).includes(word));
  if (wanted && !details.open) opened.add(details);
  if (wanted) details.open = true;
  else if (opened.delete(details)) details.open = false;
};
const search = () => {
  const words = fold(box.value).split(/\s+/).filter(word => word);
  let found = 0;
  for (const part of parts) {
    part.hidden = !words.every(word => text(part).includes(word));
    if (!part.hidden) found += 1;
    for (const details of part.querySelectorAll("details")) unfold(details, part.hidden ? [] : words);
  }
  count.textContent = words.length ? found + " of " + parts.length : "";
};
box.addEventListener("input", search);
document.addEventListener("keydown", event => {
  if (event.key !== "/" || event.target === box) return;
  event.preventDefault();
  box.focus();
});
box.parentElement.hidden = false;
search();
]]

-- Of SHA-256, in base64.
assets.style_hash = "UOWVuYTqjuR5Etw+HEaNkeeBToYdKa6h73y3DmcACEo="
assets.script_hash = "dpPdWYLUFY4DxffMNeVkcsn+LFUJwZN5ywT/DZup+So="

return assets
