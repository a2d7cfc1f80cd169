"""A page about one network and one sequence: arrays become pictures and coloured text, these become sections, and sections the page."""

from unrolled.inspect.report.page import Report, Section
from unrolled.inspect.report.parts import Bars, Drawing, Graph, Part, Table, Tint, Words
from unrolled.inspect.report.sections import report_on, report_without_input

__all__ = ["Bars", "Drawing", "Graph", "Part", "Report", "Section", "Table", "Tint", "Words", "report_on", "report_without_input"]
