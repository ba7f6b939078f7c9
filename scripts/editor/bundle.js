// What the editor page uses of CodeMirror, under one name; web/static/editor.js does the rest.
export { EditorState, Compartment } from "@codemirror/state";
export { EditorView, keymap, lineNumbers, highlightActiveLine, highlightActiveLineGutter, drawSelection } from "@codemirror/view";
export { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
export { yaml } from "@codemirror/lang-yaml";
export { autocompletion, completionKeymap, startCompletion } from "@codemirror/autocomplete";
export { lintGutter, setDiagnostics, nextDiagnostic } from "@codemirror/lint";
export { searchKeymap } from "@codemirror/search";
export { syntaxHighlighting, HighlightStyle, bracketMatching, indentUnit } from "@codemirror/language";
export { tags } from "@lezer/highlight";
