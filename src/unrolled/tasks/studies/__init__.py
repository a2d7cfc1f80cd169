"""Several runs of one configuration, one after another, each in a folder of its own: folds, seeds, cells."""

from unrolled.tasks.studies.options import StudyOptions
from unrolled.tasks.studies.plan import is_study, runs_in
from unrolled.tasks.studies.study import Done, asks_for_several, begin_study, resume_study

__all__ = ["Done", "StudyOptions", "asks_for_several", "begin_study", "is_study", "resume_study", "runs_in"]
