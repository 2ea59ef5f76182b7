# Where the program lands: build/limrisk, and `cmake --install` puts it, the documents and the campaigns under the prefix.
include(GNUInstallDirs)
set_target_properties(limrisk PROPERTIES RUNTIME_OUTPUT_DIRECTORY $<1:${PROJECT_BINARY_DIR}>)
install(TARGETS limrisk RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
install(FILES README.md LICENSE CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY experiments/ DESTINATION ${CMAKE_INSTALL_DATADIR}/limrisk/experiments FILES_MATCHING PATTERN "*.toml" PATTERN "*.csv" PATTERN "*.md")
if(LIMRISK_TESTS)
  enable_testing()
  add_test(NAME installed_program
           COMMAND ${CMAKE_COMMAND} -DBUILD=${PROJECT_BINARY_DIR} -DPREFIX=${PROJECT_BINARY_DIR}/check-install
                   -P ${PROJECT_SOURCE_DIR}/cmake/check_install.cmake)
  set_tests_properties(installed_program PROPERTIES TIMEOUT 120)
endif()
