/**
 * What came of each combination, one row a version of Nest, one column a version of Node.
 *
 * @param {readonly { nest: string, node: string, outcome: string }[]} results
 * @returns {string}
 */
export function tableOf(results) {
  const distinct = (name) => [...new Set(results.map((result) => result[name]))];
  const nodes = distinct('node');
  const rows = distinct('nest').map((nest) => [
    `Nest ${nest}`,
    ...nodes.map(
      (node) => results.find((result) => result.nest === nest && result.node === node)?.outcome ?? '',
    ),
  ]);
  const lines = [['', ...nodes.map((node) => `Node ${node}`)], ...rows];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
