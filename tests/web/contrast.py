"""The contrast of texts by axe: each combination of the styles that decide it is computed once in a test process."""

from playwright.sync_api import Page

# axe computes the contrast of a text from its colours, size and weight, and from the backgrounds below the middle of
# each of its lines. Where these are the backgrounds of its ancestors, all of them behind the whole middle, and no other
# element's, two texts with equal styles and equal ancestors' backgrounds have the same contrast.
# Keeps window.texts, the texts with such a key or with none, and returns the keys.
TEXTS = """() => {
  const clear = /^(transparent|rgba\\(.*, 0\\)|.* \\/ 0\\))$/;
  const all = [...document.querySelectorAll("*")];
  const style = new Map(all.map(each => [each, getComputedStyle(each)]));
  const backed = new Map();  // the elements with a background, and where they are
  const behind = new Map();  // what each element and its ancestors put behind its text
  for (const each of all) {
    const { backgroundColor, backgroundImage, opacity, mixBlendMode, visibility } = style.get(each);
    if (!clear.test(backgroundColor) && each.checkVisibility()) backed.set(each, each.getBoundingClientRect());
    const own = [backgroundColor.replace(clear, ""), backgroundImage, opacity, mixBlendMode, visibility].join(" ");
    const above = behind.get(each.parentElement) ?? "";
    behind.set(each, own === " none 1 normal visible" ? above : above + "|" + own);
  }
  const holds = (box, [x, y]) => box.left <= x && x < box.right && box.top <= y && y < box.bottom;
  const middles = (boxes) => [...boxes].map(box => [box.left + box.width / 2, box.top + box.height / 2]);
  // Only screen readers read such texts: axe computes no contrast of what is clipped, or outside the page.
  const away = (each) => {
    const { position, clipPath } = style.get(each);
    const box = each.getBoundingClientRect();
    return position === "absolute" && clipPath === "inset(50%)" || box.bottom + scrollY < 0 || box.right + scrollX < 0;
  };
  const range = document.createRange();
  window.texts = new Map();
  for (const each of all) {
    const lines = [...each.childNodes].filter(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const field = each.matches("input, select, textarea");
    if (!lines.length && !field || !each.checkVisibility() || away(each)) continue;
    const at = field ? middles([each.getBoundingClientRect()]) : [];
    for (const line of lines) {
      range.selectNodeContents(line);
      at.push(...middles(range.getClientRects()));
    }
    const apart = [...backed].some(([other, box]) => other.contains(each)
      ? other !== document.documentElement && at.some(point => !holds(box, point))
      : at.some(point => holds(box, point)));
    const { color, webkitTextFillColor, webkitTextStroke, textShadow, fontSize, fontWeight } = style.get(each);
    const own = [color, webkitTextFillColor, webkitTextStroke, textShadow, fontSize, fontWeight].join(" ");
    window.texts.set(each, apart ? null : own + behind.get(each));
  }
  return [...new Set(window.texts.values())];
}"""
# Of the texts without a key, and of those with one of the given keys, returns some whose contrast is too low, and the
# keys of those whose contrast axe computed and passed. One text stands for its key, or all do where axe did not compute
# the contrast of that one, which may be an emoji or one letter.
CONTRAST = """async (keys) => {
  const found = { low: [], high: [] };
  const computed = node => node.any.some(each => each.data?.contrastRatio);
  const compute = async (texts) => {
    const { violations, passes } = await axe.run(texts, {
      runOnly: ["color-contrast"], resultTypes: ["violations", "passes"], elementRef: true, selectors: false,
    });
    const nodes = rules => rules.flatMap(each => each.nodes);
    found.low.push(...nodes(violations).map(node => [node.html.slice(0, 200), node.failureSummary]));
    found.high.push(...nodes(passes).filter(computed).map(node => window.texts.get(node.element)));
  };
  const texts = new Map(keys.map(key => [key, []]));
  for (const [each, key] of window.texts) texts.get(key)?.push(each);
  await compute([...texts].flatMap(([key, alike]) => key === null ? alike : alike.slice(0, 1)));
  const others = [...texts].flatMap(([key, alike]) => key === null || found.high.includes(key) ? [] : alike.slice(1));
  if (others.length && !found.low.length) await compute(others);
  return { low: found.low, high: [...new Set(found.high)] };
}"""

_high: set[str | None] = set()


def check_contrast(page: Page, at: str) -> None:
    """Require that every text of the page, as it stands, has enough contrast. at: what a failure names."""
    unseen = [key for key in page.evaluate(TEXTS) if key not in _high]
    if unseen:
        found = page.evaluate(CONTRAST, unseen)
        assert found["low"] == [], at
        _high.update(key for key in found["high"] if key is not None)
