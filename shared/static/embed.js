/* Current guidance on another site's page: <div data-valmius="061" data-lang="sv"></div> and this script after it.
   Everything is put in as text, never as markup; a page that is left open asks again every two minutes. */
(() => {
  "use strict";
  const site = new URL(document.currentScript.src).origin;

  const part = (tag, text, attributes = {}) => {
    const element = document.createElement(tag);
    element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };

  const link = (text, url) => part("a", text, { href: new URL(url).protocol.startsWith("http") ? url : site });

  const article = (item) => {
    const whole = part("article", "", { class: "valmius-item", lang: item.lang });
    const paragraphs = item.text.split("\n\n").map((text) => part("p", text));
    whole.append(part("h3", item.headline), part("p", item.updated), ...paragraphs, link(item.more, item.url));
    return whole;
  };

  const show = async (place) => {
    const path = [place.dataset.valmius || "all", place.dataset.lang || "fi"].map(encodeURIComponent).join("/");
    try {
      const answer = await fetch(`${site}/embed/${path}.json`, { credentials: "omit" });
      if (!answer.ok) throw new Error(answer.status);
      const told = await answer.json();
      const title = part("h2", "");
      title.append(link(told.title, told.url));
      place.lang = told.lang;
      place.replaceChildren(title, part("p", told.nothing), ...told.items.map(article), part("p", told.note));
    } catch {
      if (!place.childElementCount) place.append(link(site, site));
    }
  };

  const all = () => document.querySelectorAll("[data-valmius]").forEach(show);
  all();
  setInterval(all, 120000);
})();
