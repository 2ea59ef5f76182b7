# Where the program lands: build/limrisk, and `cmake --install` puts it, the documents and the campaigns under the prefix.
include(GNUInstallDirs)
if(TARGET limrisk)
  set_target_properties(limrisk PROPERTIES RUNTIME_OUTPUT_DIRECTORY $<1:${PROJECT_BINARY_DIR}>)
  install(TARGETS limrisk RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
install(FILES README.md LICENSE CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY experiments/ DESTINATION ${CMAKE_INSTALL_DATADIR}/limrisk/experiments FILES_MATCHING PATTERN "*.toml")
