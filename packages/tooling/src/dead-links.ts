import { posix } from 'node:path';

/** What there is to link to: files and folders by their path from the root, and the text of each page. */
export interface Tree {
  has(path: string): boolean;
  read(page: string): string;
}

const REPOSITORY = /^https:\/\/github\.com\/millrace\/millrace\/(?:blob|tree)\/main\/(.*)$/;

/** Finds the links of Markdown pages, relative ones and those to this repository, that lead nowhere: no such file, no such heading. */
export function deadLinksOf(pages: readonly string[], tree: Tree): string[] {
  return pages.flatMap((page) =>
    linksOf(tree.read(page)).flatMap((link) => {
      const [path = '', anchor] = targetOf(page, link)?.split('#') ?? [];
      if (path === '') return [];
      if (path.startsWith('../') || !tree.has(path)) return [`${page}: there is no ${path}, which "${link}" leads to`];
      if (anchor === undefined || !path.endsWith('.md') || anchorsOf(tree.read(path)).has(anchor)) return [];
      return [`${page}: ${path} has no heading for "#${anchor}"`];
    }),
  );
}

/** The path that a link leads to, with its anchor; `undefined` where it leaves the repository. */
function targetOf(page: string, link: string): string | undefined {
  const inRepository = REPOSITORY.exec(link)?.[1];
  if (inRepository !== undefined) return inRepository;
  if (/^[a-z][a-z+.-]*:/i.test(link)) return undefined;
  const path = link.startsWith('#') ? page + link : posix.normalize(posix.join(posix.dirname(page), link));
  return path.replace(/\/(?=$|#)/, '');
}

/** The targets of `[text](target)`, outside of code. */
function linksOf(text: string): string[] {
  return [...prose(text).matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g)].map(([, target = '']) => target);
}

/** The anchors that GitHub makes of the headings of a page. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of prose(text, true).matchAll(/^#{1,6} (.+)$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = plain
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-');
    let free = anchor;
    for (let count = 1; anchors.has(free); count++) free = `${anchor}-${count}`;
    anchors.add(free);
  }
  return anchors;
}

/** The text without blocks of code, and without code in a line. */
function prose(text: string, keepInline = false): string {
  const blocksGone = text.replace(/^( *)(`{3,})[^\n]*\n[\s\S]*?^\1\2 *$/gm, '');
  return keepInline ? blocksGone : blocksGone.replace(/`[^`\n]*`/g, '``');
}
