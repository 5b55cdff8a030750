"""Reports that a department head reads without help: one page a batch or a month, HTML or XLSX.

`contents` gathers what a report says, `page` writes it as one HTML file without anything from outside,
`sheet` writes the same as a workbook.
"""
