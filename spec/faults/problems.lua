--- problems(separator): a function that is given the parts of a problem, of which it prints the first
-- 20, and one that tells how many there were.
return function(separator)
  local count = 0
  return function(...)
    count = count + 1
    if count <= 20 then print(table.concat({ ... }, separator)) end
  end, function() return count end
end
