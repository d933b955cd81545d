message(STATUS "Packaging ${PROJECT_NAME}")
