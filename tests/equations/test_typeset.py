import pytest
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser

import unrolled as un
from by_hand import CELLS
from unrolled.equations import parse, to_latex, to_text

PEEPHOLE_TEXT = """\
z[t] = tanh(W_z @ x[t] + R_z @ h[t-1] + b_z)
i[t] = sigmoid(W_i @ x[t] + R_i @ h[t-1] + p_i * c[t-1] + b_i)
f[t] = sigmoid(W_f @ x[t] + R_f @ h[t-1] + p_f * c[t-1] + b_f)
c[t] = i[t] * z[t] + f[t] * c[t-1]
o[t] = sigmoid(W_o @ x[t] + R_o @ h[t-1] + p_o * c[t] + b_o)
h[t] = o[t] * tanh(c[t])"""

PEEPHOLE_LATEX = r"""\begin{aligned}
z_{t} &= \tanh\left(W_{z} x_{t} + R_{z} h_{t-1} + b_{z}\right) \\
i_{t} &= \sigma\left(W_{i} x_{t} + R_{i} h_{t-1} + p_{i} \odot c_{t-1} + b_{i}\right) \\
f_{t} &= \sigma\left(W_{f} x_{t} + R_{f} h_{t-1} + p_{f} \odot c_{t-1} + b_{f}\right) \\
c_{t} &= i_{t} \odot z_{t} + f_{t} \odot c_{t-1} \\
o_{t} &= \sigma\left(W_{o} x_{t} + R_{o} h_{t-1} + p_{o} \odot c_{t} + b_{o}\right) \\
h_{t} &= o_{t} \odot \tanh\left(c_{t}\right)
\end{aligned}"""

EXPRESSIONS = [
    ("h[t-1] - (b - x[t])", r"h_{t-1} - \left(b - x_{t}\right)"),
    ("h[t-1] - b - x[t]", r"h_{t-1} - b - x_{t}"),
    ("(h[t-1] + b) * x[t]", r"\left(h_{t-1} + b\right) \odot x_{t}"),
    ("h[t-1] * (b * x[t])", r"h_{t-1} \odot \left(b \odot x_{t}\right)"),
    ("h[t-1] * (W @ x[t])", r"h_{t-1} \odot \left(W x_{t}\right)"),
    ("(W @ x[t]) * h[t-1]", r"W x_{t} \odot h_{t-1}"),
    ("R @ (b * h[t-1])", r"R \left(b \odot h_{t-1}\right)"),
    ("A @ (R @ h[t-1])", r"A \left(R h_{t-1}\right)"),
    ("-h[t-1] + -b", r"-h_{t-1} + \left(-b\right)"),
    ("-(h[t-1] + b)", r"-\left(h_{t-1} + b\right)"),
    ("-h[t-1] ** 2", r"-h_{t-1}^{2}"),
    ("(-h[t-1]) ** 2", r"\left(-h_{t-1}\right)^{2}"),
    ("h[t-1] ** -2", r"h_{t-1}^{-2}"),
    ("(h[t-1] ** 2) ** 3", r"\left(h_{t-1}^{2}\right)^{3}"),
    ("(h[t-1] / b) ** 2", r"\left(\frac{h_{t-1}}{b}\right)^{2}"),
    ("h[t-1] / (b + 1)", r"\frac{h_{t-1}}{b + 1}"),
    ("b * (h[t-1] / 2)", r"b \odot \frac{h_{t-1}}{2}"),
    ("2 * h[t-1]", r"2 \, h_{t-1}"),
    ("h[t-1] * 2 * 3", r"h_{t-1} \cdot 2 \cdot 3"),
    ("2 * 3 ** 2 * h[t-1]", r"2 \cdot 3^{2} \, h_{t-1}"),
    ("1e-05 * h[t-1]", r"10^{-5} \, h_{t-1}"),
    ("h[t-1] ** 2.5e-20", r"h_{t-1}^{2.5 \cdot 10^{-20}}"),
    ("2.5e-20 ** 2 * h[t-1]", r"\left(2.5 \cdot 10^{-20}\right)^{2} \, h_{t-1}"),
    ("h[t-1] + alpha + gamma_f", r"h_{t-1} + \alpha + \gamma_{f}"),
    ("h[t-1] + b1 + b_2 + W_a_b @ x[t]", r"h_{t-1} + b_{1} + b_{2} + W_{\mathrm{a\_b}} x_{t}"),
    ("h[t-1] + gate + _ + b__c", r"h_{t-1} + \mathrm{gate} + \_ + b_{\mathrm{\_c}}"),
    ("-0.5 * h[t-1] * b", r"-0.5 \, h_{t-1} \odot b"),
    ("b * (-h[t-1] * c)", r"b \odot \left(-h_{t-1} \odot c\right)"),
    ("b - -h[t-1] * c", r"b - \left(-h_{t-1} \odot c\right)"),
    ("-h[t-1] * b - c", r"-h_{t-1} \odot b - c"),
    ("h[t-1] * -b", r"h_{t-1} \odot \left(-b\right)"),
    ("R @ -h[t-1]", r"R \left(-h_{t-1}\right)"),
    ("1 / (1 + exp(-h[t-1]))", r"\frac{1}{1 + \exp\left(-h_{t-1}\right)}"),
    ("h[t-1] / b / c", r"\frac{\frac{h_{t-1}}{b}}{c}"),
    ("2 ** h[t-1] + h[t-1] ** b ** c", r"2^{h_{t-1}} + h_{t-1}^{b^{c}}"),
    ("h[t-1] + lamda + Omega + OMEGA + b_alpha + W_12 @ x[t]", r"h_{t-1} + \lambda + \Omega + \mathrm{OMEGA} + b_{\alpha} + W_{12} x_{t}"),
    ("g * norm(R @ h[t-1] - b) ** 2", r"g \odot \mathrm{norm}\left(R h_{t-1} - b\right)^{2}"),
    ("norm(x[t] * norm(h[t-1]))", r"\mathrm{norm}\left(x_{t} \odot \mathrm{norm}\left(h_{t-1}\right)\right)"),
    ("sqrt(abs(h[t-1]))", r"\sqrt{\left|h_{t-1}\right|}"),
    (
        "relu(softplus(exp(log(h[t-1]))))",
        r"\mathrm{relu}\left(\mathrm{softplus}\left(\exp\left(\log\left(h_{t-1}\right)\right)\right)\right)",
    ),
]


def lines_of(latex):
    head, *rows, tail = latex.split("\n")
    assert (head, tail) == (r"\begin{aligned}", r"\end{aligned}")
    for row in rows:
        assert row.count("&=") == 1
        yield row.removesuffix(r" \\").replace("&", "")


def renders(latex):
    """Whether matplotlib's own TeX reader accepts every row; it knows no environments, and stops at a second subscript."""
    for row in lines_of(latex):
        MathTextParser("path").parse(f"${row}$", dpi=72, prop=FontProperties())
    return True


def test_the_peephole_lstm_as_text_and_latex():
    recurrence = un.cells.BUILT_IN["lstm-peephole"].recurrence
    assert to_text(recurrence) == PEEPHOLE_TEXT
    assert to_latex(recurrence) == PEEPHOLE_LATEX


@pytest.mark.parametrize("name", CELLS)
def test_every_cell_is_typeset(name):
    recurrence = CELLS[name].recurrence
    assert renders(to_latex(recurrence))
    assert len(list(lines_of(to_latex(recurrence)))) == len(recurrence.equations)


@pytest.mark.parametrize(("written", "latex"), EXPRESSIONS)
def test_latex_groups_as_the_text_does(written, latex):
    recurrence = parse(f"h[t] = {written}")
    (row,) = lines_of(to_latex(recurrence))
    assert row == rf"h_{{t}} = {latex}"
    assert renders(to_latex(recurrence))
    assert parse(to_text(recurrence)) == recurrence


def test_a_state_with_a_number_in_its_name_has_one_subscript():
    latex = to_latex(parse("h1[t] = h[t-1]\nc_in[t] = h1[t-1]\nh[t] = h1[t-1] + c_in[t] ** 2"))
    assert list(lines_of(latex)) == ["h_{1,t} = h_{t-1}", "c_{\\mathrm{in},t} = h_{1,t-1}", "h_{t} = h_{1,t-1} + c_{\\mathrm{in},t}^{2}"]
    assert renders(latex)


@pytest.mark.parametrize(
    "text",
    [
        "  h[t]  =tanh( W@x [t]+R @h[ t-1 ]+b )  # comment",
        "h[t] = tanh((W @ x[t]) + ((R) @ (h[t-1])) + b)\n\n\n",
        "h[t] = tanh(\n W @ x[t]\n+ R @ h[t - 1]\n+ b)",
    ],
)
def test_layout_means_nothing(text):
    recurrence = parse(text)
    assert to_text(recurrence) == "h[t] = tanh(W @ x[t] + R @ h[t-1] + b)"
    assert recurrence == parse(to_text(recurrence))
    assert hash(recurrence) == hash(parse(to_text(recurrence)))


def test_sizes_follow_what_is_added_and_multiplied():
    recurrence = parse("a[t] = tanh(W @ x[t]) * b\nc[t] = c[t-1] + V @ a[t]\nh[t] = c[t] * h[t-1] + A @ (B @ h[t-1]) + U @ (g * x[t])")
    labels = {p.name: (p.kind, p.rows, p.columns) for p in recurrence.parameters}
    assert labels == {
        "W": ("input map", "a", "x"),
        "b": ("vector", "a", ""),
        "V": ("recurrent map", "c", "a"),
        "B": ("recurrent map", "B:rows", "c"),
        "A": ("recurrent map", "c", "B:rows"),
        "g": ("vector", "x", ""),
        "U": ("recurrent map", "c", "x"),
    }
    assert dict(recurrence.sizes) == {"a": "a", "c": "c", "h": "c"}
    assert recurrence.labels == ("c", "a", "B:rows")
    assert parse("h[t] = h[t-1] + x[t]").labels == ("x",)
    assert recurrence.states == ("h", "c")
