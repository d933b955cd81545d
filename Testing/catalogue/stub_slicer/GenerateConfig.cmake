# What the extension package would describe itself with; a test reads it.
foreach(name HOMEPAGE CATEGORY CONTRIBUTORS DESCRIPTION ICONURL SCREENSHOTURLS DEPENDS)
  if("${EXTENSION_${name}}" STREQUAL "")
    message(FATAL_ERROR "EXTENSION_${name} is not set")
  endif()
  file(APPEND "${CMAKE_BINARY_DIR}/extension.txt" "${name}=${EXTENSION_${name}}\n")
endforeach()
