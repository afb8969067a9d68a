"""Draws docs/figures/finding.svg from an experiment's results:

    lrid-classify run --config configs/classify/quickstart.toml --data tests/golden/trajectories.h5 --out results.json
    python3 docs/figures/finding.py results.json docs/figures/finding.svg

Left: how often the rule of a network's layer is named right, for what is measured. Right: for each rule, from all
statistics. Splits grouped by network, the random forest, chosen beforehand. A dot is a split, a bar the mean.
"""
import json
import sys
from html import escape

MEASURES = {"all": "all 24 statistics", "weight": "weights", "activation": "activations", "layer_change": "activity change"}
RULES = {"sgdm": "SGD with momentum", "adam": "Adam", "fa": "feedback alignment", "ia": "information alignment"}
CLASSIFIER = "forest"
STYLE = """
    text { font: 14px system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; fill: #1f2328; }
    .title { font-weight: 600; } .small { font-size: 12px; fill: #59636e; }
    .bar { fill: #7fb2e5; } .dot { fill: #0b5a9c; fill-opacity: .55; } .grid { stroke: #d8dee4; }
    .chance { stroke: #b35900; stroke-width: 1.5; stroke-dasharray: 5 4; } .chance-text { fill: #9a4d00; font-size: 12px; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; } .small { fill: #9198a1; } .bar { fill: #1f4f87; } .dot { fill: #9ecbff; }
      .grid { stroke: #30363d; } .chance { stroke: #f0a050; } .chance-text { fill: #f0a050; }
    }"""
ROW, TOP, LEFT, WIDTH = 44, 62, 152, 230


def panel(x, title, rows):
    """One panel of (label, values of the splits)."""
    bottom = TOP + ROW * len(rows)
    svg = [f'<text class="title" x="{x}" y="24">{escape(title)}</text>']
    place = lambda share: x + LEFT + WIDTH * share
    for tick in (0, 0.5, 1):
        svg.append(f'<line class="grid" x1="{place(tick):.0f}" x2="{place(tick):.0f}" y1="{TOP - 14}" y2="{bottom}"/>'
                   f'<text class="small" x="{place(tick):.0f}" y="{bottom + 18}" text-anchor="middle">{tick:.0%}</text>')
    for i, (label, values) in enumerate(rows):
        y, mean = TOP + ROW * i, sum(values) / len(values)
        svg.append(f'<text x="{x + LEFT - 12}" y="{y + 17}" text-anchor="end">{escape(label)}</text>'
                   f'<rect class="bar" x="{place(0):.1f}" y="{y}" width="{WIDTH * mean:.1f}" height="24" rx="3"/>')
        svg += [f'<circle class="dot" cx="{place(v):.1f}" cy="{y + 6 + 12 * (j % 5) / 4:.1f}" r="3"/>' for j, v in enumerate(values)]
        svg.append(f'<text x="{place(1) + 10:.0f}" y="{y + 17}">{mean:.0%}</text>')
    svg.append(f'<line class="chance" x1="{place(.25):.1f}" x2="{place(.25):.1f}" y1="{TOP - 14}" y2="{bottom}"/>'
               f'<text class="chance-text" x="{place(.25):.1f}" y="{TOP - 20}" text-anchor="middle">chance</text>')
    return svg


def main():
    results = json.load(open(sys.argv[1]))
    rows = {r["condition"]["measure"]: r for r in results["rows"]
            if r["classifier"] == CLASSIFIER and r["condition"]["split"] == "network" and "position" not in r["condition"]}
    measured = [(title, rows[name]["accuracy"]["splits"]) for name, title in MEASURES.items()]
    labels = rows["all"]["labels"]
    by_rule = [(title, [split[i][i] / sum(split[i]) for split in rows["all"]["confusion"]])
               for title, i in ((title, labels.index(name)) for name, title in RULES.items())]
    height = TOP + ROW * 4 + 56
    networks = rows["all"]["n_networks"]
    note = (f'{networks} small networks trained on real images; layers of networks the random forest has never seen. '
            f'A dot is one of {len(measured[0][1])} splits, a bar their mean.')
    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 920 {height}" role="img" aria-labelledby="t d">',
           '<title id="t">The learning rule is named far more often than by chance</title>',
           '<desc id="d">' + escape("; ".join(f"{label} {sum(v) / len(v):.0%}" for label, v in measured + by_rule)) + "; chance 25%</desc>",
           f"<style>{STYLE}\n  </style>",
           *panel(8, "Learning rule named right, from …", measured), *panel(472, "… and for each rule, from all statistics", by_rule),
           f'<text class="small" x="8" y="{height - 8}">{escape(note)}</text>', "</svg>"]
    with open(sys.argv[2], "w") as file:
        file.write("\n".join(svg) + "\n")


if __name__ == "__main__":
    main()
