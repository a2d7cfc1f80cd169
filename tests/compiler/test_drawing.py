import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import assume, given, settings

import unrolled as un
from drawn_cells import texts
from unrolled.compiler import make_plan, plan_to_svg
from unrolled.compiler.drawing.graph import BENT, FORWARD, STRAIGHT, step_graph, straight_slopes
from unrolled.compiler.drawing.lanes import Turn, order_lanes
from unrolled.compiler.drawing.layout import ARROW, lay_out
from unrolled.compiler.drawing.lettering import width
from unrolled.compiler.drawing.placing import LABEL
from unrolled.equations.functions import FUNCTIONS
from unrolled.errors import ConfigError, EquationError

OWN = {
    "linear": "h[t] = W @ x[t] + d * h[t-1]",
    "no input": "h[t] = tanh(R @ h[t-1])",
    "delay": "h1[t] = h[t-1]\nh[t] = tanh(W @ x[t] + R @ h[t-1] + S @ h1[t-1] + b)",
    "output aside": "c[t] = 0.5 * c[t-1] + W @ x[t]\nh[t] = tanh(U @ c[t] + b)",
    "state of the input": "p[t] = W @ x[t]\nh[t] = tanh(p[t] + v * p[t-1] + R @ h[t-1])",
    "three states": "alpha[t] = sigmoid(W_a @ x[t] + R_a @ h[t-1] + b_a)\nslow[t] = alpha[t] * slow[t-1] + (1 - alpha[t]) * fast[t-1]\n"
    "fast[t] = tanh(W_f @ x[t] + R_f @ fast[t-1] + p * slow[t])\nh[t] = norm(A @ (B @ fast[t])) - slow[t] / (1 + exp(-h[t-1]))",
    "crossed": "c[t] = h[t-1] + b\nh[t] = c[t-1] * tanh(W @ x[t])",
    "many gates": "\n".join(f"g{n}[t] = sigmoid(W{n} @ x[t] + R{n} @ h[t-1])" for n in range(9))
    + "\nh[t] = " + " + ".join(f"g{n}[t] * g{n + 1}[t]" for n in range(8)),
    "powers and constants": "k[t] = 2\nh[t] = (1 + abs(h[t-1])) ** -1.5 * x[t] ** 3 + 2 ** tanh(h[t-1]) / k[t] + b * exp(d) - 1",
}  # fmt: skip


def says_all(cell):
    """Whether the text alone is the cell, and all that its plan computes stands in it."""
    recurrence = cell.recurrence
    declared = cell.declarations.keys() - {"init"}
    return not declared and all(line.text for line in recurrence.equations) and all(p.made is None for p in recurrence.parameters)


GREEK = {"mi-rnn", "delta-rnn", "lru", "hgrn", "rg-lru"}
"""Cells with vectors whose names are those of constants elsewhere, and which say how these begin."""
CELLS = {**{name: cell.equations for name, cell in un.cells.BUILT_IN.items() if says_all(cell) and name not in GREEK}, **OWN}
each_cell = pytest.mark.parametrize("text", CELLS.values(), ids=CELLS)


def graph_of(text):
    return step_graph(un.Cell("mine", text).recurrence)


def svg_of(text, **options):
    return plan_to_svg(make_plan(un.Cell("mine", text).recurrence), **options)


def named_behind(graph, key):
    """What a named value is made of, values and formulas, through the operations that belong to its line."""
    for wire in graph.nodes[key].inputs:
        if wire.source in graph.nodes and not graph.nodes[wire.source].name:
            yield from named_behind(graph, wire.source)
            yield "formula", graph.nodes[wire.source].formula
        else:
            yield "value", wire.source
        yield "formula", wire.label
    yield "formula", graph.nodes[key].formula


@each_cell
def test_the_graph_holds_what_every_line_reads(text):
    graph = graph_of(text)
    assert [node.name for node in graph.nodes.values() if node.name] == [line.split("[")[0] for line in text.strip().splitlines()]
    for line in text.strip().splitlines():
        name, right = line.split("[t] = ")
        behind = list(named_behind(graph, f"{name}[t]"))
        assert {value for kind, value in behind if kind == "value"} == set(re.findall(r"\w+\[t(?:-1)?\]", right))
        shown = " ".join(value for kind, value in behind if kind == "formula")
        parameters = set(re.findall(r"\b[A-Za-z]\w*\b(?!\[)", re.sub(r"\[t(-1)?\]|\de-\d", "[", right))) - set(FUNCTIONS)
        assert parameters == set(re.findall(r"[A-Za-z]\w*", shown)) - set(FUNCTIONS)


@each_cell
def test_every_matrix_stands_on_a_wire(text):
    wires = [wire for node in graph_of(text).nodes.values() for wire in node.inputs]
    matrices = set(re.findall(r"(\w+) @", text))
    shown = [matrices.intersection(re.findall(r"[A-Za-z]\w*", wire.label)) for wire in wires if wire.matrix]
    assert all(shown) and matrices == set().union(*shown)


def edges_by_walking(graph, usable):
    """The wires on some path of usable wires from a state before to a carried state, found by walking every path."""
    found = set()

    def walk(source, path):
        if source in {f"{s}[t]" for s in graph.carried}:
            found.update(path)
        for node in graph.nodes.values():
            for number, wire in enumerate(node.inputs):
                if wire.source == source and usable(node, wire):
                    walk(node.key, [*path, (node.key, number)])

    for state in graph.carried:
        walk(f"{state}[t-1]", [])
    return found


def check_ways(graph):
    back = edges_by_walking(graph, lambda node, wire: True)
    straight = edges_by_walking(graph, lambda node, wire: not wire.matrix and not node.bends)
    for edge, way in graph.ways.items():
        assert way == (STRAIGHT if edge in straight else BENT if edge in back else FORWARD)


@each_cell
def test_the_ways_of_the_gradient_are_those_found_by_walking_every_path(text):
    check_ways(graph_of(text))


def test_the_ways_of_an_lstm_and_an_elman_network():
    lstm = graph_of(CELLS["lstm"])
    straight = {(lstm.nodes[key].inputs[n].source, key) for (key, n), way in lstm.ways.items() if way == STRAIGHT}
    (forget,) = (key for source, key in straight if source == "c[t-1]")
    assert straight == {("c[t-1]", forget), (forget, "c[t]")}
    assert {wire.source for wire in lstm.nodes[forget].inputs} == {"c[t-1]", "f[t]"} and lstm.nodes[forget].formula == "×"
    assert lstm.carried_ways == {"h": BENT, "c": STRAIGHT}
    assert {way for (key, n), way in lstm.ways.items() if lstm.nodes[key].inputs[n].source == "x[t]"} == {FORWARD}
    elman = graph_of(CELLS["elman"])
    assert {elman.nodes["h[t]"].inputs[n].label.strip(): way for (_, n), way in elman.ways.items()} == {"R_h": BENT, "W_h": FORWARD}


@pytest.mark.parametrize(
    ("name", "slopes"),
    [("elman", {}), ("lstm", {"c": "f[t]"}), ("gru", {"h": "z[t]"}), ("gru-reset-before", {"h": "1 - u[t]"}), ("linear", {"h": "d"}),
     ("three states", {"slow": "alpha[t]"}), ("output aside", {"c": "1/2"})],
)  # fmt: skip
def test_what_the_gradient_is_multiplied_by_on_its_straight_way(name, slopes):
    assert {s: str(slope) for s, slope in straight_slopes(un.Cell("mine", CELLS[name]).recurrence).items()} == slopes


def rectangles(layout):
    """What no wire may cross and nothing may cover: boxes, and the letters in front of arrows."""
    for box in layout.boxes:
        yield box.x, box.y, box.x + box.width, box.y + box.height
    for strand in layout.strands:
        if strand.label:
            x, y = strand.points[-1][0] - ARROW - 2, strand.points[-1][1]
            yield x - width(f"`{strand.label}`", LABEL), y - 14, x, y - 1


def segments(layout):
    """The wires' pieces with a number for each net: those that share a beginning, or begin where another passes on."""
    nets = {}
    for strand in layout.strands:
        net = nets.get(strand.points[0], len(nets))
        nets[strand.points[0]] = net
        if not strand.arrow:
            nets[strand.points[-1]] = net
        yield from ((net, one, other) for one, other in zip(strand.points, strand.points[1:], strict=False))


def check_layout(layout):
    for (left, top, right, bottom), (left2, top2, right2, bottom2) in combinations(rectangles(layout), 2):
        assert right <= left2 or right2 <= left or bottom <= top2 or bottom2 <= top
    pieces = list(segments(layout))
    for _, (x1, y1), (x2, y2) in pieces:
        assert x1 == x2 or (y1 == y2 and x1 < x2)
        for left, top, right, bottom in rectangles(layout):
            apart = max(x1, x2) <= left + 3 or min(x1, x2) >= right or max(y1, y2) <= top or min(y1, y2) >= bottom
            assert apart or (x1 < left and x2 <= left + 12)  # it enters the round side of a box
    for (net, (x1, y1), (x2, y2)), (net2, (x3, y3), (x4, y4)) in combinations(pieces, 2):
        if net != net2 and y1 == y2 and y3 == y4 and abs(y1 - y3) < 2:
            assert x2 <= x3 or x4 <= x1
        if net != net2 and x1 == x2 and x3 == x4 and abs(x1 - x3) < 2:
            assert max(y1, y2) <= min(y3, y4) or max(y3, y4) <= min(y1, y2)
    for x, y in ((x, y) for _, *ends in pieces for x, y in ends):
        assert 0 <= x <= layout.pitch and -20 <= y <= layout.height + 20


@each_cell
def test_nothing_overlaps_and_no_wire_crosses_a_box_or_a_letter(text):
    check_layout(lay_out(graph_of(text)))


@settings(max_examples=60, deadline=None)
@given(texts())
def test_any_cell_is_drawn_without_overlap(text):
    try:
        graph = graph_of(text)
    except EquationError:
        assume(False)
    check_ways(graph)
    check_layout(lay_out(graph))
    ElementTree.fromstring(svg_of(text))


@pytest.mark.parametrize("others", [0, 5], ids=["every order", "one by one"])
def test_lanes_rather_cross_than_run_on_each_other(others):
    turns = [Turn(0.0, (50.0,)), Turn(50.0, (10.0, 20.0, 30.0)), *(Turn(100.0 + 20 * n, (110.0 + 20 * n,)) for n in range(others))]
    order = order_lanes(turns)
    assert order.index(1) < order.index(0) and sorted(order) == list(range(len(turns)))
    assert order_lanes([Turn(5.0, (5.0,)), Turn(None, (7.0,), 30.0)]) == (1,)


@each_cell
def test_states_lead_from_step_to_step(text):
    """What leaves a step for the next one ends where the next one's wires begin."""
    graph = graph_of(text)
    layout = lay_out(graph)
    ends = {s.points[-1] for s in layout.strands if s.points[-1][0] == layout.pitch and not s.arrow}
    assert ends == {(layout.pitch, y) for y in layout.entries.values()} and set(layout.entries) == set(graph.carried)
    assert {s.points[0] for s in layout.strands if s.points[0][0] == 0} == {(0.0, y) for y in layout.entries.values()}


SVG = "{http://www.w3.org/2000/svg}"


def written(root):
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


@each_cell
@pytest.mark.parametrize("steps", [1, 2, 4])
def test_the_picture_is_whole_and_asks_for_nothing_from_elsewhere(text, steps):
    root = ElementTree.fromstring(svg := svg_of(text, steps=steps, prefix="one"))
    assert root.get("role") == "img" and root.find(f"{SVG}title").text and "[t] = " in root.find(f"{SVG}desc").text
    assert {root.get("aria-labelledby"), root.get("aria-describedby"), "one"} == {e.get("id") for e in root.iter() if e.get("id")}
    assert not re.search(r"https?:|url\(|@import|<script|href", svg.replace('xmlns="http://www.w3.org/2000/svg"', ""))
    rules = re.findall(r"([^{}]+)\{[^{}]*\}", root.find(f"{SVG}style").text.replace("@media (prefers-color-scheme: dark) {", ""))
    assert rules and all(part.strip().startswith("#one") for rule in rules for part in rule.replace("}", "").split(","))
    across, down = float(root.get("width")), float(root.get("height"))
    for element in root.findall(f"{SVG}text"):
        assert 0 <= float(element.get("x")) <= across and 0 <= float(element.get("y")) <= down
    assert len(root.findall(f"{SVG}rect")) == steps
    boxes = len(graph_of(text).nodes)
    assert len(list(root.iter(f"{SVG}rect"))) == steps * (1 + boxes)


def test_a_state_that_changes_nothing_is_not_carried():
    text = "h[t] = tanh(W @ x[t]) + 0 * h[t-1]"
    assert graph_of(text).carried == () and lay_out(graph_of(text)).entries == {}
    assert "ht−1" in written(ElementTree.fromstring(svg_of(text)))


def test_names_are_set_as_symbols_of_their_step():
    words = written(ElementTree.fromstring(svg_of(CELLS["three states"])))
    assert {"step t − 1", "step t", "step t + 1", "αt−1", "αt", "αt+1", "slowt−2", "ht+1", "xt"} <= set(words)
    assert "A B" in {w.strip() for w in words} and any(w.startswith("on the straight way from slowt to slowt−1") for w in words)


def test_two_pictures_in_one_page_share_no_id():
    one, two = (set(re.findall(r' id="([^"]+)"', svg_of(CELLS["gru"], prefix=prefix))) for prefix in ("one", "two"))
    assert one and not one & two


def test_names_of_users_are_escaped():
    svg = svg_of("σ1[t] = tanh(W_ж @ x[t])\nh[t] = σ1[t] * h[t-1]", name='<b>&"\0')
    root = ElementTree.fromstring(svg)
    assert root.find(f"{SVG}title").text == '<b>&"\ufffd, unrolled over 3 steps'
    assert any("Wж" in word for word in written(root))


@pytest.mark.parametrize(("options", "message"), [
    ({"steps": 0}, "`steps` must be a whole number from 1 to 15, got 0"),
    ({"steps": 16}, "got 16"),
    ({"steps": True}, "got True"),
    ({"prefix": "1a"}, "`prefix` must be a letter"),
    ({"prefix": 'a" onload="'}, "`prefix` must be a letter"),
])  # fmt: skip
def test_what_cannot_be_drawn_is_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        svg_of(CELLS["elman"], **options)


def test_the_picture_of_the_documentation_is_the_one_that_is_drawn():
    picture = Path(__file__).parents[2] / "docs" / "lstm.svg"
    assert picture.read_text(encoding="utf-8") == svg_of(CELLS["lstm"], name="lstm")
