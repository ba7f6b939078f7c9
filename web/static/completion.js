// Suggestions of the editor: keys and values that the JSON Schema knows at the place of the cursor.
window.schemaCompletion = (schema) => {
  const resolve = (node) => (node?.$ref ? resolve(schema.$defs[node.$ref.split("/").pop()]) : node);
  const branches = (node) => {
    const found = resolve(node);
    if (!found || found.deprecated) return [];
    const inner = [...(found.anyOf ?? []), ...(found.oneOf ?? [])];
    return inner.length ? [found, ...inner.flatMap(branches)] : [found];
  };
  const down = (nodes, part, type) =>
    nodes.flatMap(branches).flatMap((node) => {
      if (part === null) return node.items ? ofType(branches(node.items), type) : [];
      if (node.properties?.[part]) return branches(node.properties[part]);
      return typeof node.additionalProperties === "object" ? branches(node.additionalProperties) : [];
    });
  const ofType = (nodes, type) => {
    const named = nodes.filter((node) => node.properties?.type?.const === type);
    return type && named.length ? named : nodes;
  };
  const KEY = /^(\s*)((?:- +)*)(?:(["']?)([\w.-]+)\3:)?/;

  // The keys above a line, by indentation; a list counts as null. The type and keys of the object stand beside.
  const placeOf = (state, line, indent) => {
    const path = [];
    const siblings = new Set();
    let type = null;
    let level = indent;
    let own = true;
    const note = (text) => {
      const [, , , , key] = text.match(KEY);
      if (!own || !key) return;
      siblings.add(key);
      if (key === "type") type = text.split(":")[1].trim().split(/[\s#]/)[0];
    };
    const types = [];
    for (let number = line; number >= 1; number -= 1) {
      const text = state.doc.line(number).text;
      if (number !== line && !text.trim()) continue;
      const [, space, dashes, , key] = text.match(KEY);
      const column = space.length + dashes.length;
      if (number !== line && column === level) note(text);
      if (dashes && column === level) {
        path.unshift(null);
        types.unshift(type);
        type = null;
        own = false;
        level = space.length;
        continue;
      }
      if (number !== line && key && column < level && !(dashes && space.length >= level)) {
        path.unshift(key);
        types.unshift(null);
        level = column;
        own = false;
        if (dashes) {
          path.unshift(null);
          types.unshift(null);
          level = space.length;
        }
      } else if (number !== line && key && column === level && path[0] === null && !dashes) {
        path.unshift(key);
        types.unshift(null);
        own = false;
      }
    }
    for (let number = line + 1; number <= state.doc.lines; number += 1) {
      const text = state.doc.line(number).text;
      if (!text.trim()) continue;
      const [, space, dashes, , key] = text.match(KEY);
      if (space.length + dashes.length < indent || (dashes && space.length + dashes.length <= indent)) break;
      if (space.length === indent && key) {
        siblings.add(key);
        const at = types.lastIndexOf(null);
        if (key === "type" && path[path.length - 1] === null && at === types.length - 1) {
          types[types.length - 1] = text.split(":")[1].trim().split(/[\s#]/)[0];
        }
      }
    }
    return { path, types, siblings };
  };

  return (context) => {
    const line = context.state.doc.lineAt(context.pos);
    const before = line.text.slice(0, context.pos - line.from);
    const [head, space, dashes, , key] = line.text.match(KEY);
    const { path, types, siblings } = placeOf(context.state, line.number, space.length + dashes.length);
    const here = path.reduce((nodes, part, at) => down(nodes, part, types[at]), [schema]);
    const word = before.match(/[\w.-]*$/)[0];
    if (key && before.length >= head.length) {
      const values = down(here, key).flatMap((node) => [
        ...(node.enum ?? []),
        ...(node.const === undefined ? [] : [node.const]),
        ...(node.type === "boolean" ? [true, false] : []),
      ]);
      const types = key === "type" ? here.flatMap((node) => node.properties?.type?.const ?? []) : [];
      const options = [...new Set([...values, ...types].map(String))].map((label) => ({ label, type: "enum" }));
      return options.length && (word || context.explicit) ? { from: context.pos - word.length, options } : null;
    }
    if (!word && !context.explicit) return null;
    const known = new Map();
    for (const node of here) {
      for (const [name, field] of Object.entries(node.properties ?? {})) {
        if (!field.deprecated && (!siblings.has(name) || name === key)) known.set(name, field.description ?? "");
      }
    }
    const options = [...known].map(([label, info]) => ({ label, apply: `${label}: `, type: "property", info: info || undefined }));
    return options.length ? { from: context.pos - word.length, options } : null;
  };
};

// Suggestions inside {{ }} and in conditions: the names that the server found in the text, part by part.
window.expressionCompletion = (context, names) => {
  const FARTHEST = 2000;
  const PATH = /((?:[A-Za-z_][\w-]*(?:\[\d+\])*\.)*)([\w-]*)$/;
  const text = context.state.sliceDoc(Math.max(0, context.pos - FARTHEST), context.pos);
  const hole = text.slice(text.lastIndexOf("{{") + 2);
  const condition = text.match(/(?:^|[\s{,])(?:condition|until):\s+(["']?)([^\n]*)$/);
  let before = null;
  if (text.includes("{{") && !hole.includes("}}") && !hole.includes("\n\n")) before = hole;
  else if (condition && !(condition[1] && condition[2].includes(condition[1]))) before = condition[2];
  if (before === null) return undefined;
  const [, path, word] = before.match(PATH);
  const ahead = before.slice(0, before.length - path.length - word.length);
  // Within a text in quotes nothing is a name.
  const inner = ahead.replace(/\\?"[^"]*"|'[^']*'/g, "");
  if (!names || /['"]/.test(inner) || (!word && !path && !context.explicit)) return null;
  const from = context.pos - word.length;
  const shown = (members, more) => {
    const options = Object.entries(members).map(([label, { kind }]) => ({ label, detail: kind, type: "variable", ...more }));
    return options.length ? { from, options, validFor: /^[\w-]*$/ } : null;
  };
  if (/\|\s*$/.test(inner) && !/\|\|\s*$/.test(inner) && !path) {
    return shown(Object.fromEntries(names.filters.map((name) => [name, { kind: "filter" }])));
  }
  const parts = path.split(".").slice(0, -1);
  const line = context.state.doc.lineAt(context.pos).number;
  const scope = names.scopes.findLast((each) => each.line <= line) ?? names;
  if (!parts.length) return shown({ steps: { kind: "what steps made" }, ...scope.roots });
  const inside = (known, part) => {
    const [name, ...indexes] = part.split("[");
    return indexes.reduce((each) => each?.item, known?.members?.[name]);
  };
  const [root, step, ...rest] = parts;
  if (root !== "steps") return shown(parts.slice(1).reduce(inside, scope.roots[root])?.members ?? {});
  if (step === undefined) {
    return shown(Object.fromEntries(Object.keys(scope.steps).map((id) => [id, { kind: "step" }])));
  }
  const members = { ...names.step, output: scope.steps[step] ?? {} };
  return shown(rest.reduce(inside, { members })?.members ?? {});
};
