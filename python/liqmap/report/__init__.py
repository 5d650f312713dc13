"""What is published and how: report files, facts, words, pages, the site as a folder of plain files."""
