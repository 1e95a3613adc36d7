"""Read by Airflow in each of its processes.

A running task's log is asked of a log server, which this stack has not, before it is read from its file: each look at
it would leave a stack trace of seventy lines in the API server's log.
"""

from logging import LogRecord, getLogger

# Airflow would take every public name here for a setting.
__all__: list[str] = []


def _is_news(record: LogRecord) -> bool:
    return record.getMessage() != "Could not read served logs"


# A level would be undone when Airflow sets up its logging.
getLogger("airflow.utils.log.file_task_handler").addFilter(_is_news)
