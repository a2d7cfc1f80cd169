"""Faults that are put into runs on purpose: processes killed at chosen moments, full disks, and folders that are not what was written."""
