"""Reports: report files, data collection, page text, charts and static sites."""
