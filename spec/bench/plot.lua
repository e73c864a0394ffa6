--- Pictures, by gnuplot: both axes logarithmic, so that what grows in line with the records is a
-- straight line at 45 degrees.
local plot = {}

local colours = { "#0060ad", "#00a060", "#dd181f", "#a05000" }

--- Draws points ({ name, records, ... }) with `field` on the vertical axis.
function plot.draw(points, field, label, title, path)
  local names, lines = {}, {}
  for _, point in ipairs(points) do
    if not lines[point.name] then
      names[#names + 1] = point.name
      lines[point.name] = {}
    end
    table.insert(lines[point.name], ("%d %.9g"):format(point.records, point[field]))
  end
  local gnuplot = assert(io.popen("gnuplot", "w"))
  gnuplot:write(([[
set terminal svg noenhanced size 760,460 font "sans-serif,14" background "white"
set output "%s"
set title "%s"
set logscale xy
set xlabel "records"
set ylabel "%s"
set format x "%%.0s%%c"
set format y "%%g"
set grid xtics ytics
set key left top
set xrange [700:5000000]
]]):format(path, title, label))
  local curves = {}
  for i, name in ipairs(names) do
    gnuplot:write(("$curve%d << EOD\n%s\nEOD\n"):format(i, table.concat(lines[name], "\n")))
    curves[i] = ("$curve%d with linespoints linewidth 2 pointtype 7 pointsize 0.6 linecolor rgb '%s' title '%s'")
      :format(i, colours[(i - 1) % #colours + 1], name)
  end
  gnuplot:write("plot ", table.concat(curves, ", "), "\n")
  gnuplot:close()
end

return plot
